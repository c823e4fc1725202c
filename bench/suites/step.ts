// The step suite: whole training steps beside the peers and on one thread, and in fresh processes the memory and the time of the
// first step.
import { costOf } from '../../kernels/index.ts';
import { showProgress } from './output.ts';
import { freshSteps } from './fresh-steps.ts';
import { launchesOf } from '../networks/harvest.ts';
import { type Network, shapesOf } from '../networks/index.ts';
import { startOurs } from '../contestants/ours.ts';
import { caseText, stepText } from '../report/tables.ts';
import { type Entrant, peerNamed, peersFor } from '../contestants/roster.ts';
import { runCase } from '../contestants/run.ts';
import { type Session, STEP_WARM_UP } from './session.ts';

/** A peer that needs longer for one step does not take part. */
const LIMIT_MS = 120_000;

/** Sizes that a reader needs, such as `batch 16, size 64`. */
function sizesText(shape: Network['sizes']['small'][number]): string {
  const told = ['batch', 'size', 'height', 'width', 'baseWidth', 'blocks', 'widths', 'channels', 'layers', 'growth'];
  const words: Readonly<Record<string, string>> = { baseWidth: 'base width' };
  return told
    .flatMap((name) => (shape[name] === undefined ? [] : [`${words[name] ?? name} ${[shape[name]].flat().join('-')}`]))
    .join(', ');
}

/** Ourselves and PyTorch on one thread: how a step scales. */
function oneThread({ ours, flags }: Session): Entrant[] {
  if (ours.device.name !== 'wasm' || flags.threads === 1) return [];
  const pytorch = flags.peers.includes('pytorch') ? [peerNamed('pytorch', 1, 'pytorch, 1 thread', LIMIT_MS)] : [];
  return [{ name: 'wgrad, 1 thread', start: () => startOurs('wasm', 1) }, ...pytorch];
}

/** Measures the steps of the networks that are asked for. */
export async function stepSuite(session: Session): Promise<void> {
  const { ours, field, flags, effort, cases, steps, width, show } = session;
  const device = ours.device.name as 'wasm' | 'webgpu';
  const peers = [...oneThread(session), ...peersFor(device, flags.peers, flags.threads, LIMIT_MS)];
  const self: Entrant = { name: 'wgrad', start: () => Promise.resolve(ours) };
  for (const network of flags.networks.filter(({ isStep }) => isStep)) {
    for (const shape of shapesOf(network, flags.size, flags.batch)) {
      const { benchmark } = network;
      const title = `training step of ${network.title}: ${sizesText(shape)}`;
      const name = `${network.name} step, ${sizesText(shape)}`;
      const launches = await launchesOf(network, shape);
      const flops = launches.reduce(
        (sum, { kernel, params, count }) => sum + count * costOf(kernel, params as never).flops,
        0,
      );
      const result = await runCase(
        { name, title, device, benchmark, shape, flops, ours: self, peers },
        field,
        { ...effort, warmUpSeconds: STEP_WARM_UP * flags.seconds },
        showProgress,
      );
      showProgress('');
      show(caseText(result, width));
      cases.push(result);
      if ('absent' in result.ours) continue;
      showProgress(`${name}: fresh processes`);
      const facts = await freshSteps({ name, title, benchmark, shape }, { ...flags, device });
      showProgress('');
      show(stepText(facts, width));
      steps.push(facts);
    }
  }
}
