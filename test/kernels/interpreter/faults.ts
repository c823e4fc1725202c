// Small shaders, each with one fault planted or with none, and what must be found in it.
import { Dispatcher, type Finding, type Invocation, Program } from '../../../kernels/interpreter/index.ts';

export interface Fault {
  readonly name: string;
  readonly text: string;
  readonly grid: readonly [number, number, number];
  /** Kinds of what is found, each once, in order. */
  readonly kinds: readonly Finding['kind'][];
  /** The lines of the first finding. */
  readonly lines?: readonly string[];
  readonly invocations?: readonly Invocation[];
}

const header = `
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
var<workgroup> lanes: array<f32, 16>;
var<workgroup> quads: array<vec4<f32>, 4>;
var<workgroup> count: atomic<u32>;
fn waitThere() { workgroupBarrier(); }
@compute @workgroup_size(16)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
`;
const shader = (body: string): string => `${header}${body.trim()}\n}\n`;
const at = (workgroup: number, local: number): Invocation => ({ workgroup: [workgroup, 0, 0], local: [local, 0, 0] });

const fault = (name: string, body: string, kinds: Fault['kinds'], more: Partial<Fault> = {}): Fault => ({
  name,
  text: shader(body),
  grid: [1, 1, 1],
  kinds,
  ...more,
});

const tree = (barrier: string): string => `
  lanes[lane] = f32(lane);
  for (var width = 8u; width > 0; width /= 2) {
    ${barrier}
    if (lane < width) { lanes[lane] += lanes[lane + width]; }
  }
  if (lane == 0) { out[0] = lanes[0]; }
`;

export const faults: readonly Fault[] = [
  fault('a sum by a tree', tree('workgroupBarrier();'), []),
  fault('a sum without a barrier', tree(''), ['race'], {
    // The first invocation has run to its end, reading what the others write afterwards.
    lines: ['lanes[lane] = f32(lane);', 'if (lane < width) { lanes[lane] += lanes[lane + width]; }'],
    invocations: [at(0, 1), at(0, 0)],
  }),
  fault('the barrier of the other address space', tree('storageBarrier();'), ['race']),
  fault('a barrier for all but the last step', tree('if (width > 1) { workgroupBarrier(); }'), ['race']),
  fault('all write one word', 'out[0] = 1.0;', ['race'], { invocations: [at(0, 1), at(0, 0)] }),
  fault('one writes what all read', 'if (lane == 3) { out[1] = 2.0; }\nlet x = out[1];\nout[lane + 2] = x;', ['race']),
  fault('workgroups write one word', 'if (lane == 0) { out[0] = 1.0; }', ['race'], {
    grid: [3, 1, 1],
    invocations: [at(1, 0), at(0, 0)],
  }),
  fault('a workgroup reads what another has written', 'if (lane == 0) { out[group.x] = out[1 - group.x]; }', ['race'], {
    grid: [2, 1, 1],
  }),
  fault('workgroups write words of their own', 'if (lane == 0) { out[group.x] = 1.0; }', [], { grid: [3, 1, 1] }),
  fault(
    'a storage barrier within a workgroup',
    'out[lane] = 1.0;\nstorageBarrier();\nlet x = out[15 - lane];\nstorageBarrier();\nout[lane] = x;',
    [],
  ),
  fault('a storage barrier between workgroups', 'if (lane == 0) { out[0] += 1.0; }\nstorageBarrier();', ['race'], {
    grid: [2, 1, 1],
  }),
  fault('components of one vector', 'if (lane < 4) { quads[0][lane] = 1.0; }', ['race']),
  fault('atomics', 'atomicAdd(&count, 1u);', []),
  fault('a barrier for some', 'if (lane < 4) {\nworkgroupBarrier();\n}\nout[lane] = 1.0;', ['barrier'], {
    lines: ['workgroupBarrier();'],
    invocations: [at(0, 0), at(0, 4)],
  }),
  fault('an early return', 'if (lane >= 8) { return; }\nworkgroupBarrier();\nout[lane] = 1.0;', ['barrier']),
  fault('all return', 'if (group.x < 8) { return; }\nworkgroupBarrier();', []),
  fault('two barriers in two branches', 'if (lane < 4) { workgroupBarrier(); } else { workgroupBarrier(); }', [
    'barrier',
  ]),
  fault('one function from two branches', 'if (lane < 4) { waitThere(); } else { waitThere(); }', ['barrier']),
  fault('turns of a loop that differ', 'for (var i = lane; i < 17; i += 16) {\nworkgroupBarrier();\n}', ['barrier']),
  fault(
    'as many barriers in other turns',
    'for (var i = 0u; i < 2; i++) {\nif (i == lane % 2) {\nworkgroupBarrier();\n}\n}',
    ['barrier'],
    { lines: ['workgroupBarrier();', 'workgroupBarrier();'] },
  ),
  fault('a barrier in a loop of all', 'for (var i = 0u; i < 3; i++) {\nworkgroupBarrier();\n}', []),
  fault('a subgroup of which a part is asked', 'if (lane < 4) { out[lane] = subgroupBroadcast(f32(lane), 0); }', [
    'subgroup',
  ]),
  fault('a subgroup', 'out[lane] = subgroupAdd(f32(lane)) + subgroupShuffle(f32(lane), lane ^ 1);', []),
  fault('whole subgroups that differ', 'if (lane < 8) { out[lane] = subgroupMax(f32(lane)); }', []),
  fault('a write past the end', 'if (lane == 0) { out[100] = 1.0; }', ['bounds']),
  fault('a read past the end of a buffer', 'if (lane == 0) { out[0] = out[100]; }', ['overread']),
  fault('a read past the end of workgroup memory', 'out[lane] = lanes[lane + 1];', ['bounds']),
];

/** Runs a shader on a buffer of 20 floats at binding 1, where it has one. */
export function runShader(text: string, grid: Fault['grid']): readonly Finding[] {
  const buffers = new Map([[1, { bytes: new ArrayBuffer(80) }]]);
  return new Dispatcher(new Program(text)).dispatch(grid, buffers, { subgroupSize: 8 });
}

export const kindsOf = (findings: readonly Finding[]): Finding['kind'][] => [
  ...new Set(findings.map(({ kind }) => kind)),
];
