/** What a benchmark found: a figure, and the bound that the project sets itself. */
export interface Row {
  what: string;
  /** `ms`, `µs`, `×` (a ratio of two things measured in this run), `MB`. */
  unit: string;
  value: number;
  /** The figure has to stay at or below this (or at or above it, with `atLeast`). */
  goal?: number;
  atLeast?: boolean;
  note?: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

export function missed(row: Row): boolean {
  if (row.goal === undefined) return false;
  return row.atLeast ? row.value < row.goal : row.value > row.goal;
}

export function print(title: string, rows: readonly Row[]): void {
  console.log(`\n${title}`);
  const width = Math.max(...rows.map((row) => row.what.length));
  for (const row of rows) {
    const value =
      row.value >= 100 ? row.value.toFixed(0) : row.value >= 1 ? row.value.toFixed(2) : row.value.toFixed(4);
    const goal =
      row.goal === undefined
        ? ''
        : `  goal ${row.atLeast ? '>=' : '<='} ${row.goal} ${row.unit}  ${missed(row) ? 'MISSED' : 'met'}`;
    console.log(
      `  ${row.what.padEnd(width)}  ${value.padStart(9)} ${row.unit.padEnd(6)}${goal}${row.note ? `  (${row.note})` : ''}`,
    );
  }
}
