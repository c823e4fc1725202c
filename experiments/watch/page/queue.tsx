// The queue of a folder: a line for each kind of run, with the state of each seed.
import { duration } from '../../cli/status-lines.ts';
import type { GroupState, RunState, RunStateName } from '../state.ts';
import { percentText } from './text.ts';

/** A sign for each state, which the colour only repeats. */
const signs: Readonly<Record<RunStateName, string>> = {
  waiting: '○',
  running: '▶',
  done: '✓',
  failed: '✕',
  stopped: '■',
};

function Chip({ run: { seed, state, share } }: { run: RunState }) {
  return (
    <span class={`chip ${state}`}>
      <span aria-hidden="true">{signs[state]}</span> {seed}
      {state === 'running' && share !== undefined && `: ${percentText(share)}`}
      <span class="unseen"> {state}</span>
    </span>
  );
}

/** The time left of a group that runs, or how long its runs took. */
function paceText({ runs }: GroupState): string {
  const left = runs.flatMap(({ secondsLeft }) => secondsLeft ?? []);
  if (left.length > 0) return `${duration(Math.max(...left))} left`;
  const took = runs.flatMap(({ seconds }) => seconds ?? []);
  return took.length > 0 ? duration(took.reduce((sum, each) => sum + each, 0) / took.length) : '';
}

export function Queue(props: {
  groups: readonly GroupState[];
  chosen: string | undefined;
  choose: (id: string) => void;
  name: string;
}) {
  const { groups, chosen, choose, name } = props;
  // A run whose name stands there twice has two sets of settings.
  const isTwice = ({ paper, run }: GroupState): boolean =>
    groups.filter((each) => each.paper === paper && each.run === run).length > 1;
  const papers = [...new Set(groups.map(({ paper }) => paper))];
  return (
    <div class="queue" role="region" tabIndex={0} aria-label={`Queue of ${name}`}>
      <table>
        <thead>
          <tr>
            <th scope="col">run</th>
            <th scope="col">seeds</th>
            <th scope="col" class="pace">
              time
            </th>
          </tr>
        </thead>
        {papers.map((paper) => (
          <tbody key={paper}>
            {papers.length > 1 && (
              <tr>
                <th scope="rowgroup" colSpan={3} class="paper">
                  {paper}
                </th>
              </tr>
            )}
            {groups
              .filter((group) => group.paper === paper)
              .map((group) => (
                <tr key={group.id} class={group.id === chosen ? 'chosen' : ''}>
                  <th scope="row">
                    <button type="button" aria-pressed={group.id === chosen} onClick={() => choose(group.id)}>
                      {group.run}
                      {isTwice(group) && <span class="soft"> {group.fingerprint}</span>}
                    </button>
                  </th>
                  <td>
                    {group.runs.map((run) => (
                      <Chip key={run.seed} run={run} />
                    ))}
                  </td>
                  <td class="pace">{paceText(group)}</td>
                </tr>
              ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}
