import { describe, expect, test } from 'vitest';
import { RULES } from '../../src/rules/index.ts';
import { runCli } from '../support/cli.ts';

const explain = (...argv: string[]) => runCli(['explain', ...argv], { cwd: '/' });

describe('pawl explain', () => {
  test('shows a rule by code, number or name', async () => {
    const byCode = await explain('PAWL3002');
    expect(byCode.code).toBe(0);
    expect(byCode.stdout).toMatch(/^PAWL3002 io-in-workflow \(error\)\n/);
    for (const part of [
      'What it catches',
      'Why',
      'Allowed',
      'Not seen',
      'Reported',
      'Instead',
      '  src/pricing.ts',
      "    'use workflow';",
    ]) {
      expect(byCode.stdout).toContain(part);
    }
    expect(await explain('3002')).toEqual(byCode);
    expect(await explain('io-in-workflow')).toEqual(byCode);
  });

  test('says what a finding comes with', async () => {
    expect((await explain('directive-not-async')).stdout).toContain('(error, with a fix, cannot be suppressed)');
  });

  test('shows the options of a rule', async () => {
    const { stdout } = await explain('io-in-workflow');
    expect(stdout).toMatch(
      /^Options\n {2}'io-in-workflow': \['error', \{ packageDepth: 3 \}\]\n {2}packageDepth \(3\)/m,
    );
    expect((await explain('duplicate-id')).stdout).not.toContain('Options');
    const json = JSON.parse((await explain('io-in-workflow', '--json')).stdout);
    expect(json).toMatchObject({
      options: [{ name: 'packageDepth', default: 3 }],
      url: expect.stringMatching(/^https:/),
    });
  });

  test('every rule fits the terminal', async () => {
    for (const { name, bad, good } of RULES) {
      const { stdout } = await explain(name);
      const code = JSON.stringify([bad, good]);
      for (const line of stdout.split('\n')) {
        if (!code.includes(JSON.stringify(line.trim()).slice(1, -1))) expect(line.length).toBeLessThanOrEqual(100);
        expect(line).not.toMatch(/[ \t]$/);
      }
    }
  });

  test('lists all rules', async () => {
    const { stdout } = await explain();
    expect(stdout.trim().split('\n')).toHaveLength(RULES.length);
    expect(stdout).toContain('PAWL3002  error    io-in-workflow');
  });

  test('suggests the nearest rule', async () => {
    expect(await explain('PAWL3020')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error PAWL_UNKNOWN_RULE: There is no rule `PAWL3020`.\n  Did you mean `pawl explain PAWL3002`?\n',
    });
    expect((await explain('nothing-like-it-at-all')).stderr).toContain('Run `pawl explain` for the list.');
  });

  test('gives JSON', async () => {
    const one = JSON.parse((await explain('PAWL1002', '--json')).stdout);
    expect(one).toMatchObject({
      code: 'PAWL1002',
      name: 'directive-not-async',
      severity: 'error',
      suppressible: false,
      fixable: true,
    });
    expect(Object.keys(one.explanation)).toEqual(['mistake', 'why', 'allowed', 'unseen']);
    expect(JSON.parse((await explain('--json')).stdout)).toHaveLength(RULES.length);
  });
});
