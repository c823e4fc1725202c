// What the runs of a table cost: time, arithmetic and memory, folded behind their sum.
import { mean, sum } from '../runner/mean.ts';
import { type Html, html } from './html.ts';
import type { CostView } from './view.ts';

type Units = readonly (readonly [size: number, name: string])[];

const times: Units = [[3600, 'h'], [60, 'min'], [1, 's']]; // prettier-ignore
const operations: Units = [[1e18, 'Eflop'], [1e15, 'Pflop'], [1e12, 'Tflop'], [1e9, 'Gflop'], [1e6, 'Mflop']]; // prettier-ignore
const memories: Units = [[2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB']]; // prettier-ignore

/** `1.25 h`: three digits in the largest unit that is not above the value. */
function withUnit(value: number, units: Units): string {
  const [size, name] = units.find(([size]) => value >= size) ?? units.at(-1)!;
  return `${Number((value / size).toPrecision(3))} ${name}`;
}

const row = ({ run, seconds, flops, peakBytes }: CostView): Html =>
  html`<tr>
    <th scope="row">${run}</th>
    <td>${seconds.length}</td>
    <td>${seconds.length > 0 ? withUnit(mean(seconds), times) : '-'}</td>
    <td>${flops === undefined ? '-' : withUnit(flops, operations)}</td>
    <td>${peakBytes === undefined ? '-' : withUnit(peakBytes, memories)}</td>
  </tr>`;

/** Undefined where nothing is known of it. */
export function costSection(costs: readonly CostView[]): Html | undefined {
  if (costs.length === 0) return undefined;
  const runs = sum(costs.map(({ seconds }) => seconds.length));
  const flops = sum(costs.map(({ seconds, flops = 0 }) => seconds.length * flops));
  const peak = Math.max(...costs.map(({ peakBytes = 0 }) => peakBytes));
  const total = [
    withUnit(sum(costs.flatMap(({ seconds }) => seconds)), times),
    ...(flops > 0 ? [withUnit(flops, operations)] : []),
    ...(peak > 0 ? [`at most ${withUnit(peak, memories)} of tensors`] : []),
  ];
  return html`<details class="fold">
    <summary>What it cost: ${total.join(', ')} in ${runs} ${runs === 1 ? 'run' : 'runs'}</summary>
    <div class="scroll" role="group" tabindex="0" aria-label="Cost of each run">
      <table>
        <caption>
          Time of one run's process, mean over seeds; a resumed run counts its last part only. Operations are those of
          one run, a multiply-add being two. Memory is the most that tensors held at once.
        </caption>
        <thead>
          <tr>
            <th scope="col">run</th>
            <th scope="col">seeds</th>
            <th scope="col">time</th>
            <th scope="col">arithmetic</th>
            <th scope="col">memory</th>
          </tr>
        </thead>
        <tbody>
          ${costs.map(row)}
        </tbody>
      </table>
    </div>
  </details>`;
}
