// Shader modules, layouts and pipelines of one GPUDevice, each made once. Layouts are explicit, so that bind groups and the
// dynamic offset of the parameter block do not depend on what a shader happens to use. Pipelines compile in the background:
// a launch needs only the layout; the pipeline is awaited when its commands are encoded.
import type { WebGpuPass } from '../../../kernels/plan.ts';

/** A pipeline that may still be compiling. Exactly one of `pipeline` and `error` is set once `ready` has resolved. */
export interface PendingPipeline {
  readonly label: string;
  readonly layout: BindLayout;
  pipeline: GPUComputePipeline | undefined;
  error: Error | undefined;
  readonly ready: Promise<void>;
}

/** Layout of group 0: the parameter block, then storage buffers, `r` for read-only and `w` for read-write ones. */
export interface BindLayout {
  readonly pattern: string;
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

interface CompiledModule {
  readonly module: GPUShaderModule;
  /** What the compiler said, if it refused the text. */
  readonly refusal: Promise<GPUError | null>;
  readonly pipelines: Map<string, PendingPipeline>;
}

const COMPUTE_STAGE = 4;

export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #layouts = new Map<string, BindLayout>();
  readonly #modules = new Map<string, CompiledModule>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  layout(pattern: string): BindLayout {
    let layout = this.#layouts.get(pattern);
    if (!layout) {
      const entries: GPUBindGroupLayoutEntry[] = [
        { binding: 0, visibility: COMPUTE_STAGE, buffer: { type: 'uniform', hasDynamicOffset: true } },
        ...[...pattern].map((access, i): GPUBindGroupLayoutEntry => {
          const type = access === 'w' ? 'storage' : 'read-only-storage';
          return { binding: i + 1, visibility: COMPUTE_STAGE, buffer: { type } };
        }),
      ];
      const group = this.#device.createBindGroupLayout({ label: pattern, entries });
      const pipeline = this.#device.createPipelineLayout({ label: pattern, bindGroupLayouts: [group] });
      layout = { pattern, group, pipeline };
      this.#layouts.set(pattern, layout);
    }
    return layout;
  }

  /** `label` names the pipeline in error messages and GPU traces. */
  pipeline(pass: WebGpuPass, pattern: string, label: string): PendingPipeline {
    let entry = this.#modules.get(pass.module);
    if (!entry) {
      this.#device.pushErrorScope('validation');
      const module = this.#device.createShaderModule({ label, code: pass.module });
      entry = { module, refusal: this.#device.popErrorScope(), pipelines: new Map() };
      this.#modules.set(pass.module, entry);
    }
    const key = `${pass.entryPoint ?? 'main'} ${pattern} ${JSON.stringify(pass.constants ?? {})}`;
    let pending = entry.pipelines.get(key);
    if (!pending) {
      pending = this.#compile(pass, entry, this.layout(pattern), label);
      entry.pipelines.set(key, pending);
    }
    return pending;
  }

  #compile(pass: WebGpuPass, from: CompiledModule, layout: BindLayout, label: string): PendingPipeline {
    const made = this.#device.createComputePipelineAsync({
      label,
      layout: layout.pipeline,
      compute: { module: from.module, entryPoint: pass.entryPoint ?? 'main', constants: { ...pass.constants } },
    });
    const pending: PendingPipeline = {
      label,
      layout,
      pipeline: undefined,
      error: undefined,
      ready: made.then(
        (pipeline) => {
          pending.pipeline = pipeline;
        },
        async (error: unknown) => {
          const refusal = await from.refusal;
          pending.error = new Error(refusal?.message ?? (error instanceof Error ? error.message : String(error)));
        },
      ),
    };
    return pending;
  }
}
