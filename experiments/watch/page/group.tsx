// The group of runs that was chosen: its curves with all seeds together, the numbers it ended with, sample pictures, failures.
import type { Picture } from '../../runner/paper.ts';
import type { Curve, GroupNumbers, GroupState, Metric } from '../state.ts';
import { Chart, lineColours } from './chart.tsx';
import { useAnswer } from './live.ts';
import { bytesText, numberText } from './text.ts';

/** Which colour is which seed, of those that are drawn. */
function Key({ curves, seeds }: { curves: readonly Curve[]; seeds: readonly number[] }) {
  const isDrawn = (seed: number): boolean => curves.some(({ bySeed }) => bySeed.some((each) => each.seed === seed));
  return (
    <ul class="key">
      {seeds.map(
        (seed, i) =>
          isDrawn(seed) && (
            <li key={seed}>
              <svg viewBox="0 0 16 8" aria-hidden="true">
                <path d="M0 4H16" class={`line-${(i % lineColours) + 1}`} />
              </svg>
              seed {seed}
            </li>
          ),
      )}
    </ul>
  );
}

function Metrics({ metrics, seeds }: { metrics: readonly Metric[]; seeds: readonly number[] }) {
  if (metrics.length === 0) return null;
  const shown = seeds.filter((seed) => metrics.some(({ bySeed }) => bySeed.some((each) => each.seed === seed)));
  return (
    <>
      <h4>Ended with</h4>
      <div class="scroll" role="region" tabIndex={0} aria-label="Metrics of finished runs">
        <table class="numbers">
          <thead>
            <tr>
              <th scope="col">metric</th>
              {shown.map((seed) => (
                <th key={seed} scope="col">
                  seed {seed}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {metrics.map(({ name, bySeed }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {shown.map((seed) => {
                  const found = bySeed.find((each) => each.seed === seed);
                  return <td key={seed}>{found ? numberText(found.value) : ''}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Pictures({ folder, group }: { folder: number; group: GroupState }) {
  const address = group.pictures > 0 ? `pictures?folder=${folder}&group=${encodeURIComponent(group.id)}` : undefined;
  const pictures = useAnswer<readonly Picture[]>(address, group.version) ?? [];
  if (pictures.length === 0) return null;
  return (
    <>
      <h4>Samples of the last validation</h4>
      <div class="samples">
        {pictures.map(({ label, images }) => (
          <figure class="sample" key={label}>
            <figcaption>{label}</figcaption>
            <div class="strip">
              {images.map(({ caption, png }) => (
                <span key={caption}>
                  <img src={`data:image/png;base64,${png}`} alt={`${label}: ${caption}`} loading="lazy" />
                  <small>{caption}</small>
                </span>
              ))}
            </div>
          </figure>
        ))}
      </div>
    </>
  );
}

export function GroupDetail(props: { folder: number; group: GroupState; isLogarithmic: boolean }) {
  const { folder, group, isLogarithmic } = props;
  const { id, paper, run, runs, version } = group;
  const address = `numbers?folder=${folder}&group=${encodeURIComponent(id)}`;
  const { curves = [], metrics = [] } = useAnswer<GroupNumbers>(address, version) ?? {};
  const seeds = runs.map(({ seed }) => seed);
  const drawn = curves.filter(({ bySeed }) => bySeed.some(({ values }) => values.length > 0));
  const peak = Math.max(0, ...runs.map(({ peakBytes }) => peakBytes ?? 0));
  return (
    <section>
      <h3>{run}</h3>
      <p class="soft small">
        {paper}
        {peak > 0 && `, at most ${bytesText(peak)} of tensors`}
      </p>
      {runs.map(
        ({ seed, state, message }) =>
          message !== undefined && (
            <details class="problem" key={seed}>
              <summary>
                Seed {seed} {state === 'failed' ? 'failed' : 'cannot be read'}: {message.split('\n')[0]}
              </summary>
              <pre>{message}</pre>
            </details>
          ),
      )}
      {drawn.length > 0 ? (
        <Key curves={drawn} seeds={seeds} />
      ) : (
        <p class="soft">It has no curves yet: the first validation makes them.</p>
      )}
      <div class="charts">
        {drawn.map((curve) => (
          <Chart key={`${id} ${curve.name}`} curve={curve} seeds={seeds} isLogarithmic={isLogarithmic} />
        ))}
      </div>
      <Metrics metrics={metrics} seeds={seeds} />
      <Pictures folder={folder} group={group} />
    </section>
  );
}
