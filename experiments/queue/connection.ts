// The server of a queue: Redis or Valkey, by its URL, with password and TLS (rediss://) in it. BullMQ and ioredis are loaded when a
// queue is used, and are no part of a plain install.
import { setTimeout as pass } from 'node:timers/promises';
import type * as BullMQ from 'bullmq';
import type { Redis } from 'ioredis';
import { devDependencies } from '../../package.json';
import { ConfigError } from '../../engine/index.ts';
import { checkQueueUrl, shownUrl } from './url.ts';

export type Say = (text: string) => void;

/** Resolves when the signal is aborted, at once where it has been. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Loads BullMQ and ioredis. Rejects with ConfigError, with what to install, where they are not there. */
async function loadPackages(): Promise<{ bull: typeof BullMQ; redis: typeof Redis }> {
  try {
    const [bull, ioredis] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { bull, redis: ioredis.Redis };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    const { bullmq, ioredis } = devDependencies;
    throw new ConfigError('a queue needs the packages bullmq and ioredis, which are not installed', {
      hint: `Install them beside wgrad: npm install bullmq@${bullmq} ioredis@${ioredis}`,
      cause,
    });
  }
}

/** How long the first connection may take. */
const FIRST_MS = 5000;
/** The longest pause between two tries to come back to a server. */
const PAUSE_MS = 1000;

/** A connection, and what opens queues on it. */
export interface Server {
  readonly bull: typeof BullMQ;
  readonly redis: Redis;
  /** For all that BullMQ opens. */
  readonly options: { readonly connection: Redis; readonly prefix: string };
  /** For what emits errors: those of a lost connection are told once, by the connection itself. */
  hear(error: Error): void;
  close(): Promise<void>;
}

/** What all keys of ours begin with. */
export const PREFIX = 'wgrad';

/** Faults of a connection, which comes back by itself. */
const isOfConnection = (error: Error): boolean =>
  /ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|Connection is closed|LOADING|MASTERDOWN/.test(
    `${(error as NodeJS.ErrnoException).code ?? ''} ${error.message}`,
  );

/** Connects. Rejects with ConfigError where there is no server, or where it refuses the password. */
export async function connect(text: string, say: Say): Promise<Server> {
  const url = checkQueueUrl(text);
  const { bull, redis: Client } = await loadPackages();
  let isConnected = false;
  let isLost = false;
  let last: Error | undefined;
  const redis = new Client(url, {
    lazyConnect: true,
    // Commands wait for the server to come back.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => (isConnected || times < 3 ? Math.min(100 * times, PAUSE_MS) : null),
  });
  const hear = (error: Error): void => {
    last = error;
    // What BullMQ says besides of a lease that was lost, which the worker has told.
    if (!isConnected || /Missing lock|could not renew lock/.test(error.message)) return;
    if (!isOfConnection(error)) say(`queue: ${error.message}`);
    else if (!isLost) {
      isLost = true;
      say(`the connection to ${shownUrl(url)} is lost (${error.message}); trying again until it is back`);
    }
  };
  redis.on('error', hear);
  redis.on('close', () => isConnected && hear(new Error('ECONNRESET')));
  redis.on('ready', () => {
    if (isLost) say(`${shownUrl(url)} is back`);
    isLost = false;
  });
  try {
    const late = new AbortController();
    await Promise.race([
      redis.connect().then(() => redis.ping()),
      pass(FIRST_MS, undefined, { signal: late.signal }).then(() => Promise.reject(last ?? new Error('no answer'))),
    ]).finally(() => late.abort());
  } catch (cause) {
    redis.disconnect();
    throw new ConfigError(`the queue at ${shownUrl(url)} cannot be reached`, {
      given: (last ?? (cause as Error)).message.replace(/\.$/, ''),
      hint: 'Is the server running, and is its password in the URL? On Debian: apt-get install redis-server',
      cause,
    });
  }
  isConnected = true;
  return {
    bull,
    redis,
    options: { connection: redis, prefix: PREFIX },
    hear,
    async close() {
      isConnected = false;
      // A server that is away is not waited for.
      if (redis.status === 'ready') await redis.quit().catch(() => undefined);
      redis.disconnect();
    },
  };
}
