// The kernel suite: every distinct convolution of the networks in its three directions, forward and with gradients beside the
// peers, and the largest launch of every other kernel.
import { conv2d, conv2dInputGradient, conv2dWeightGradient, costOf } from '../../kernels/index.ts';
import { referenceShape } from './quick-cases.ts';
import { CeilingWork, roofOf } from '../measure/ceilings.ts';
import { showProgress } from './output.ts';
import type { Group } from '../report/document.ts';
import { type Found, harvest, type Launch } from '../networks/harvest.ts';
import { type LaunchSpec, measureGroup } from './kernel-group.ts';
import { caseText, groupText } from '../report/tables.ts';
import { peersFor } from '../contestants/roster.ts';
import { runCase } from '../contestants/run.ts';
import type { Flags, Session } from './session.ts';
import { convFlops, convParams, type ConvShape, convTitle } from '../networks/shapes.ts';

/** The three kernels of a convolution. */
export function directionsOf(shape: ConvShape): LaunchSpec[] {
  const params = convParams(shape);
  return [conv2d, conv2dInputGradient, conv2dWeightGradient].map((kernel) => ({
    kernel: kernel as unknown as LaunchSpec['kernel'],
    params,
  }));
}

/** Prepares the ceilings; at the end the groups stand below the best of the whole run. */
export async function withCeilings(session: Session, measure: (work: CeilingWork) => Promise<void>): Promise<void> {
  const work = await CeilingWork.prepare(session.ours.device);
  const first = session.groups.length;
  try {
    await measure(work);
  } finally {
    work.dispose();
    for (const { kernels } of session.groups.slice(first)) {
      for (const each of kernels) each.roof = roofOf(each, each, work.best);
    }
  }
}

interface NamedGroup {
  readonly name: string;
  readonly title: string;
  readonly networks: readonly string[];
  readonly point?: Readonly<Record<string, number>>;
}

/** Measures a group and shows it. */
export async function addGroup(
  session: Session,
  head: NamedGroup,
  specs: readonly LaunchSpec[],
  ceilings: CeilingWork,
): Promise<Group> {
  showProgress(head.title);
  const measured = await measureGroup(session.ours, specs, ceilings, session.effort);
  showProgress('');
  const networks = [...head.networks];
  const group =
    'absent' in measured ? { ...head, networks, kernels: [], ...measured } : { ...head, networks, ...measured };
  const result = group as Group;
  session.groups.push(result);
  return result;
}

/** A convolution beside the peers: forward, and forward with both gradients. */
async function addPeerCases(
  { ours, field, flags, effort, cases, width, show }: Session,
  shape: ConvShape,
): Promise<void> {
  const device = ours.device.name as 'wasm' | 'webgpu';
  const peers = peersFor(device, flags.peers, flags.threads);
  if (peers.length === 0) return;
  for (const [kind, times, what] of [
    ['forward', 1, 'forward'],
    ['gradients', 3, 'forward and both gradients'],
  ] as const) {
    const result = await runCase(
      {
        name: `${convTitle(shape)} ${kind}`,
        title: `conv2d ${what}, ${convTitle(shape)}`,
        device,
        benchmark: `conv2d.${kind}`,
        shape,
        flops: times * convFlops(shape),
        ours: { name: 'wgrad', start: () => Promise.resolve(ours) },
        peers,
      },
      field,
      effort,
      showProgress,
    );
    showProgress('');
    show(caseText(result, width));
    cases.push(result);
  }
}

async function addConvolution(
  session: Session,
  { what, networks }: Found<ConvShape>,
  ceilings: CeilingWork,
): Promise<void> {
  const title = convTitle(what);
  const group = await addGroup(session, { name: `conv ${title}`, title, networks }, directionsOf(what), ceilings);
  session.show(groupText(group, session.width));
  if (group.absent === undefined) await addPeerCases(session, what);
}

async function addLaunch(session: Session, { what, networks }: Found<Launch>, ceilings: CeilingWork): Promise<void> {
  const { kernel, params } = what;
  const mebibytes = (costOf(kernel, params as never).bytes / 2 ** 20).toPrecision(3);
  const title = `${kernel.name}, ${mebibytes} MiB`;
  const name = `${kernel.name} ${JSON.stringify(params)}`;
  session.show(groupText(await addGroup(session, { name, title, networks }, [what], ceilings), session.width));
}

/** The reference convolution first, then everything that the networks launch. */
async function harvested({ size, batch, networks }: Flags): Promise<Awaited<ReturnType<typeof harvest>>> {
  const { convolutions, others } = await harvest(networks, size, batch);
  return { convolutions: [{ what: referenceShape, networks: [] }, ...convolutions], others };
}

/** Measures the given convolutions, or without them everything that the networks launch. */
export async function kernelSuite(session: Session, shapes?: readonly ConvShape[]): Promise<void> {
  const { convolutions, others } = shapes
    ? { convolutions: shapes.map((what): Found<ConvShape> => ({ what, networks: [] })), others: [] }
    : await harvested(session.flags);
  await withCeilings(session, async (ceilings) => {
    for (const each of convolutions) await addConvolution(session, each, ceilings);
    for (const each of others) await addLaunch(session, each, ceilings);
  });
}
