/** What a benchmark found: a figure, and the bound that the project sets itself. */
export interface Row {
  what: string;
  /** `ms`, `µs`, `×` (a ratio of two things measured in this run), `MB`, `runs/s`. */
  unit: string;
  /** The figure, or why there is none. */
  value: number | string;
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
  if (typeof row.value === 'string') return true;
  return row.atLeast ? row.value < row.goal : row.value > row.goal;
}

export function print(title: string, rows: readonly Row[]): void {
  console.log(`\n${title}`);
  const width = Math.max(...rows.map((row) => row.what.length));
  for (const row of rows) {
    const value = typeof row.value === 'string' ? row.value : digits(row.value);
    const unit = typeof row.value === 'string' ? '' : row.unit;
    const goal =
      row.goal === undefined
        ? ''
        : `  goal ${row.atLeast ? '>=' : '<='} ${row.goal} ${row.unit}  ${missed(row) ? 'MISSED' : 'met'}`;
    console.log(
      `  ${row.what.padEnd(width)}  ${value.padStart(9)} ${unit.padEnd(6)}${goal}${row.note ? `  (${row.note})` : ''}`,
    );
  }
}

function digits(value: number): string {
  return value.toFixed(value >= 100 ? 0 : value >= 1 ? 2 : 4);
}
