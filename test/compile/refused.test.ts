import { describe, expect, test } from 'vitest';
import { program, REFUSED } from '../../fixtures/forms/table.ts';
import { compile } from '../../src/compiler/index.ts';

describe('what cannot work is refused', () => {
  test.each(REFUSED)('$name', (each) => {
    const { diagnostics } = compile(program(each), { filename: 'src/main.ts' });
    expect(diagnostics.map((found) => found.code)).toContain(each.refused);
    for (const found of diagnostics) {
      expect(found.severity).toBe('error');
      expect(found.remedy ?? found.message).not.toBe('');
      expect(found.span.end).toBeGreaterThan(found.span.start);
    }
  });
});
