/**
 * The page of the chat app in a real browser, where one is installed (`CHROMIUM` names it, or it is found by its usual names). Everything
 * that the page rests on is tested over plain HTTP in `chat.test.ts`, browser or not.
 */
import { execFileSync } from 'node:child_process';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { chatApp } from './chat-app.ts';
import { startModelServer } from './model-server.ts';

function installed(): string | undefined {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      // The next one, perhaps.
    }
  }
  return undefined;
}

const executablePath = installed();
const app = chatApp();

if (executablePath !== undefined)
  test('streams an answer and its tools, goes on after a crash of the server, and after a reload', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = 0;
    const model = await startModelServer((request) => {
      if (!request.messages.some(({ role }) => role === 'tool'))
        return [{ tool: 'weather', id: 'w1', input: { city: 'Rome' } }];
      return asked++ === 0 ? ['The sky is ', { until: held }] : ['The sky is blue.'];
    });
    app.use(model);
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    try {
      const first = await app.serve('browser.db');
      const page = await browser.newPage();
      await page.goto(first.url);
      await page.fill('#text', 'How is Rome?');
      await page.click('button');
      await page.getByText('weather: {"sky":"blue"}').waitFor();
      await page.getByText('The sky is', { exact: true }).waitFor();

      await app.kill(first.child);
      release();
      await app.serve('browser.db', new URL(first.url).port);
      // The page connects again by itself; what was cut off has made room for the whole answer.
      await page.getByText('The sky is blue.').waitFor();
      await page.locator('[data-status=completed]').waitFor();
      const shown = ['How is Rome?', 'weather: {"sky":"blue"}', 'The sky is blue.'];
      expect(await page.locator('#log p').allTextContents()).toEqual(shown);

      await page.reload();
      await page.locator('[data-status=completed]').waitFor();
      expect(await page.locator('#log p').allTextContents()).toEqual(shown);

      await page.fill('#text', 'Thanks!');
      await page.click('button');
      await page.locator('[data-status=completed]').nth(1).waitFor();
      expect(await page.locator('#log p').allTextContents()).toEqual([...shown, 'Thanks!', 'The sky is blue.']);
      expect(model.requests).toHaveLength(4);
    } finally {
      await browser.close();
    }
  });
else
  test('there is no browser here: the page is served all the same', async () => {
    const model = await startModelServer(() => ['Hello.']);
    app.use(model);
    const { url } = await app.serve('none.db');
    expect(await (await fetch(url)).text()).toContain('new EventSource(`/api/chat/${run}`)');
  });
