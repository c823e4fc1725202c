// One run folder: how far its command is, the queue, and the group of runs that was chosen.
import { duration } from '../../cli/status-lines.ts';
import type { FolderState, FolderStateName, GroupState } from '../state.ts';
import { GroupDetail } from './group.tsx';
import { Queue } from './queue.tsx';
import { clockText, numberText, percentText } from './text.ts';

const stateTexts: Readonly<Record<FolderStateName, string>> = {
  missing: 'not there',
  empty: 'no runs yet',
  running: 'running',
  stopped: 'stopped',
  done: 'done',
};

/** What is said of a folder that has nothing to show. */
const emptyTexts: Partial<Record<FolderStateName, string>> = {
  missing: 'There is no such folder now. As soon as there is one, it is shown here.',
  empty: 'No command has begun a run in it. As soon as one does, it is shown here.',
};

function Facts({ folder }: { folder: FolderState }) {
  const { groups, cells, cellsDone, stepsPerSecond, secondsLeft, updated, state } = folder;
  const runs = groups.flatMap((group) => group.runs);
  const count = (name: string): number => runs.filter((run) => run.state === name).length;
  const facts: [string, string | undefined][] = [
    ['runs', `${count('done')} of ${runs.length}`],
    ['cells', cells ? `${cellsDone} of ${cells}` : undefined],
    ['steps/s', stepsPerSecond === undefined ? undefined : numberText(stepsPerSecond)],
    ['left', secondsLeft === undefined ? undefined : duration(secondsLeft)],
    ['failed', count('failed') > 0 ? String(count('failed')) : undefined],
    [state === 'running' ? 'as of' : 'last written', updated && clockText(updated)],
  ];
  return (
    <dl class="facts">
      {facts.map(
        ([name, text]) =>
          text !== undefined && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Log({ log }: Pick<FolderState, 'log'>) {
  if (log.length === 0) return null;
  return (
    <section>
      <h3>Log</h3>
      <div class="lines" role="log" tabIndex={0} aria-label="Log, the last line first">
        {[...log].reverse().map(({ at, text }, i) => (
          <p key={log.length - i}>
            <time dateTime={at}>{clockText(at)}</time> {text}
          </p>
        ))}
      </div>
    </section>
  );
}

export function Folder(props: {
  index: number;
  folder: FolderState;
  group: GroupState | undefined;
  choose: (id: string) => void;
  isLogarithmic: boolean;
}) {
  const { index, folder, group, choose, isLogarithmic } = props;
  const { name, state, share, commandLine, groups, problems, log } = folder;
  const empty = emptyTexts[state];
  const [, above = '', own = name] = /^(.*[\\/])([^\\/]+)[\\/]*$/.exec(name) ?? [];
  return (
    <article class="folder" aria-labelledby={`folder-${index}`}>
      <div class="folder-head">
        <h2 id={`folder-${index}`}>
          <span class="parent">{above}</span>
          {own}
        </h2>
        <span class={`state ${state}`}>{stateTexts[state]}</span>
      </div>
      {commandLine && <code class="command">{commandLine.join(' ')}</code>}
      {empty !== undefined && groups.length === 0 && <p class="soft">{empty}</p>}
      {state === 'running' && share !== undefined && (
        <progress value={share} aria-label={`Work done in ${name}`}>
          {percentText(share)}
        </progress>
      )}
      {groups.length > 0 && <Facts folder={folder} />}
      {problems.map((problem) => (
        <p class="problem" key={problem}>
          Cannot be read: {problem}
        </p>
      ))}
      {groups.length > 0 && <Queue groups={groups} chosen={group?.id} choose={choose} name={name} />}
      {group && <GroupDetail folder={index} group={group} isLogarithmic={isLogarithmic} />}
      <Log log={log} />
    </article>
  );
}
