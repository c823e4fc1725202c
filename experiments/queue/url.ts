// The URL of a queue's server. Apart from the connection, so that the command line can look at it before anything is loaded or done.
import { ConfigError } from '../../engine/index.ts';

/** Throws ConfigError for a text that is not the URL of a server. */
export function checkQueueUrl(text: string): string {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Told below.
  }
  if (!url || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') {
    throw new ConfigError('the queue is not the URL of a Redis or Valkey server', {
      expected: 'redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// with TLS',
    });
  }
  return text;
}

/** The URL without its password. */
export function shownUrl(text: string): string {
  const url = new URL(text);
  if (url.password) url.password = '***';
  return url.href;
}
