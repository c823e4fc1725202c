// Numbers as the page writes them.

/** Four digits, without zeros at their end. */
export function numberText(value: number | null | undefined): string {
  if (value === null || value === undefined) return 'not finite';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** `4.2 MiB`. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${Number((bytes / 2 ** (10 * power)).toPrecision(3))} ${units[power]}`;
}

export const percentText = (share: number): string => `${Math.floor(100 * share)} %`;

/** `14:05:09`, of a time in ISO 8601. */
export const clockText = (time: string): string => new Date(time).toLocaleTimeString('en-GB');
