// What the oracles of ieee.json and extremes.json write where JSON has no number.

export const numberOf = (value: number | string): number =>
  value === 'inf' ? Infinity : value === '-inf' ? -Infinity : Number(value);
