// The whole page: whether it is live, and the folders side by side.
import { useEffect, useState } from 'preact/hooks';
import type { FolderState, GroupState } from '../state.ts';
import { Folder } from './folder.tsx';
import { useLive } from './live.ts';
import { percentText } from './text.ts';

/** The group that is looked at stands in the address, so that it is the same after a reload. */
const chosenInAddress = (): string => decodeURIComponent(location.hash.slice(1));

/** The chosen group; in another folder that of the same run; by default one that grows, or the last one that has curves. */
function groupOf({ groups }: FolderState, chosen: string, folders: readonly FolderState[]): GroupState | undefined {
  const exactly = groups.find(({ id }) => id === chosen);
  if (exactly) return exactly;
  const elsewhere = folders.flatMap((folder) => folder.groups).find(({ id }) => id === chosen);
  const same = groups.find(({ paper, run }) => paper === elsewhere?.paper && run === elsewhere.run);
  const grows = ({ runs }: GroupState): boolean => runs.some(({ state }) => state === 'running');
  return (
    same ??
    groups.find((group) => group.hasCurves && grows(group)) ??
    groups.find(grows) ??
    groups.findLast(({ hasCurves }) => hasCurves) ??
    groups[0]
  );
}

function titleOf(folders: readonly FolderState[]): string {
  const shares = folders.flatMap(({ state, share }) => (state === 'running' && share !== undefined ? [share] : []));
  return shares.length > 0 ? `${shares.map(percentText).join(', ')}: wgrad watch` : 'wgrad watch';
}

export function App() {
  const { state, fault } = useLive();
  const [chosen, setChosen] = useState(chosenInAddress());
  const [isLogarithmic, setLogarithmic] = useState(false);
  const folders = state?.folders ?? [];
  useEffect(() => {
    const read = (): void => setChosen(chosenInAddress());
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  useEffect(() => void (document.title = titleOf(folders)), [titleOf(folders)]);
  const choose = (id: string): void => {
    history.replaceState(null, '', `#${encodeURIComponent(id)}`);
    setChosen(id);
  };
  return (
    <>
      <a class="skip" href="#main">
        Skip to the runs
      </a>
      <header class="bar">
        <h1>wgrad watch</h1>
        <p class={`link ${fault === undefined ? 'up' : 'down'}`} role="status">
          {fault === undefined ? (state ? 'live' : 'connecting') : `${fault}: what is shown may be old; trying again`}
        </p>
        <div class="tools">
          <label>
            <input
              type="checkbox"
              checked={isLogarithmic}
              onChange={({ currentTarget }) => setLogarithmic(currentTarget.checked)}
            />
            logarithmic
          </label>
          <a href="numbers.csv" download="numbers.csv">
            All numbers as CSV
          </a>
        </div>
      </header>
      <main id="main" tabIndex={-1} class={folders.length > 1 ? 'several' : ''}>
        {folders.map((folder, i) => (
          <Folder
            key={folder.name}
            index={i}
            folder={folder}
            group={groupOf(folder, chosen, folders)}
            choose={choose}
            isLogarithmic={isLogarithmic}
          />
        ))}
      </main>
    </>
  );
}
