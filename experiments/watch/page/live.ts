// What the server knows, asked for again and again: an answer that has not changed comes without its content. A server that is gone is
// asked until it is back.
import { useEffect, useState } from 'preact/hooks';
import type { WatchState } from '../state.ts';

const INTERVAL_MS = 1000;
const RETRY_MS = 2000;

/** What is shown, and why it is not up to date. */
export interface Live {
  readonly state: WatchState | undefined;
  readonly fault: string | undefined;
}

/** Asks for an address every second while the page is seen, and tells of what is new. Returns what stops it. */
function follow(address: string, tell: (live: Partial<Live>) => void): () => void {
  const stop = new AbortController();
  let etag = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async (): Promise<void> => {
    timer = undefined;
    if (document.hidden) return;
    let wait = INTERVAL_MS;
    try {
      const headers: HeadersInit = etag === '' ? {} : { 'if-none-match': etag };
      const answer = await fetch(address, { headers, cache: 'no-store', signal: stop.signal });
      if (answer.status === 200) {
        etag = answer.headers.get('etag') ?? '';
        tell({ state: (await answer.json()) as WatchState, fault: undefined });
      } else {
        tell({ fault: answer.status === 304 ? undefined : `the server answers ${answer.status}` });
      }
    } catch {
      if (stop.signal.aborted) return;
      wait = RETRY_MS;
      tell({ fault: 'the server does not answer' });
    }
    if (!stop.signal.aborted) timer = setTimeout(() => void ask(), wait);
  };
  const wake = (): void => {
    if (!document.hidden && timer === undefined) void ask();
  };
  document.addEventListener('visibilitychange', wake);
  void ask();
  return () => {
    stop.abort();
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', wake);
  };
}

/** The state of all folders, as it becomes known. */
export function useLive(): Live {
  const [live, setLive] = useState<Live>({ state: undefined, fault: undefined });
  useEffect(
    () =>
      follow('state', (change) =>
        setLive((before) => ('state' in change || change.fault !== before.fault ? { ...before, ...change } : before)),
      ),
    [],
  );
  return live;
}

/** What stands at an address, asked for anew when `version` changes; until then what was there before. */
export function useAnswer<T>(address: string | undefined, version: string): T | undefined {
  const [answer, setAnswer] = useState<{ readonly address: string; readonly content: T }>();
  useEffect(() => {
    if (address === undefined) return undefined;
    const stop = new AbortController();
    fetch(address, { signal: stop.signal })
      .then(async (found) => {
        if (found.ok) setAnswer({ address, content: (await found.json()) as T });
      })
      .catch(() => undefined); // The state says that the server is gone.
    return () => stop.abort();
  }, [address, version]);
  return answer?.address === address ? answer?.content : undefined;
}
