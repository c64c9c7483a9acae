import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AlarmsResponse } from '#contract/http.js';
import { ROOT } from '../house/source-files.js';
import { startBrowser } from '../support/browser.js';
import { type RunningProcess, startOftob } from '../support/processes.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PAGES = ['/#/', '/#/posts/murghab', '/#/alarms', '/impact', '/demo'] as const;

let demo: RunningProcess;
let browser: Browser;
let url = '';
let startedAt = 0;
const complaints: string[] = [];

beforeAll(async () => {
  if (!existsSync(join(ROOT, 'dist', 'web', 'index.html')))
    throw new Error('The dashboards are not built. Run: npm run build');
  browser = await startBrowser();
  demo = startOftob(['demo', '--port', '0']);
  [url = ''] = await demo.until(/http:\/\/127\.0\.0\.1:\d+/, MINUTE);
  startedAt = Date.now();
}, 2 * MINUTE);

afterAll(async () => {
  await demo?.stop();
  await browser?.close();
});

async function open(
  path: string,
  width = 1280,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<{ page: Page; context: BrowserContext }> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, ...options });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${path} ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`${path} ${error.message}`));
  await page.goto(url + path);
  return { page, context };
}

async function alarmOf(rule: string) {
  const response = await fetch(`${url}/api/v1/alarms?state=all`);
  const { alarms } = (await response.json()) as AlarmsResponse;
  return alarms.find((alarm) => alarm.rule === rule && alarm.count > 0);
}

async function until<T>(look: () => Promise<T | undefined | false>, before: number): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > before) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

// In order: each test meets the demo a little later in its story.
describe('a newcomer opens the demo', () => {
  test('ten seconds after opening, three posts are live with values', async () => {
    const { page, context } = await open('/#/');
    for (const name of ['Kyzyl-Art', 'Karakul', 'Murghab'])
      await page.getByText(name, { exact: true }).waitFor({ timeout: 10 * SECOND });
    await page
      .getByText('Live', { exact: true })
      .first()
      .waitFor({ timeout: 10 * SECOND });
    await page.waitForFunction(() => (document.body.textContent ?? '').match(/\d+\s%/g)?.length ?? 0, undefined, {
      timeout: 10 * SECOND,
    });
    await context.close();
  });

  test('a post’s page shows values that move', { timeout: MINUTE }, async () => {
    const { page, context } = await open('/#/posts/kyzyl-art');
    await page.getByRole('heading', { name: 'Kyzyl-Art' }).waitFor({ timeout: 10 * SECOND });
    const read = () =>
      page.evaluate(() => [...document.querySelectorAll('svg text')].map((text) => text.textContent).join(' '));
    await until(async () => /\d+\s(k?W|%)/.test(await read()), Date.now() + 10 * SECOND);
    const before = await read();
    // Load and battery follow what people at the post do, every few seconds.
    await until(async () => (await read()) !== before, Date.now() + 40 * SECOND);
    await context.close();
  });

  test('within a minute battery and pump raise alarms; the newcomer acknowledges one by name', {
    timeout: 2 * MINUTE,
  }, async () => {
    for (const rule of ['batterySocCritical', 'pumpDryRun']) {
      const alarm = await until(() => alarmOf(rule), startedAt + 90 * SECOND);
      expect((alarm.since ?? Number.POSITIVE_INFINITY) - startedAt).toBeLessThan(MINUTE);
    }
    const { page, context } = await open('/#/alarms');
    await page
      .getByText('Pump runs dry')
      .first()
      .waitFor({ timeout: 10 * SECOND });
    const row = page.locator('li.alarm', { hasText: 'Pump runs dry' });
    await row.getByRole('button', { name: /^Acknowledge/ }).click();
    const dialog = page.locator('dialog[open]');
    await dialog.getByLabel('Your name').fill('Zarina');
    await dialog.locator('button[type=submit]').click();
    await page.getByText(/acknowledged by Zarina/).waitFor({ timeout: 10 * SECOND });
    expect((await alarmOf('pumpDryRun'))?.acknowledgedBy).toBe('Zarina');
    await context.close();
  });

  test.each([360, 1280])(
    'no page overflows at %i px in any language, and none is hard to use',
    { timeout: 3 * MINUTE },
    async (width) => {
      for (const path of PAGES)
        for (const language of ['en', 'ru', 'tg']) {
          // Pages that are made on the server are told their language.
          const isMade = !path.startsWith('/#');
          const { page, context } = await open(isMade ? `${path}?lang=${language}` : path, width);
          if (!isMade) {
            await page
              .locator('button', { hasText: { en: /^EN$/, ru: /^РУ$/, tg: /^ТҶ$/ }[language] as RegExp })
              .first()
              .click();
            await page.locator('main').waitFor();
          }
          await page.waitForTimeout(300);
          const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          expect(overflow, `${path} ${language} ${width}`).toBeLessThanOrEqual(0);
          if (language === 'en') {
            // Through the debugger, so that the page's own content policy stays as it is.
            await page.evaluate(AXE);
            const violations = await page.evaluate(async () => {
              const { axe } = globalThis as unknown as {
                axe: { run: () => Promise<{ violations: { id: string; impact: string }[] }> };
              };
              return (await axe.run()).violations
                .filter(({ impact }) => impact === 'serious' || impact === 'critical')
                .map(({ id }) => id);
            });
            expect(violations, `${path} ${width}`).toEqual([]);
          }
          await context.close();
        }
    },
  );

  test('the impact page reads without JavaScript: energy and water, each with its coverage', async () => {
    const { page, context } = await open('/impact', 1280, { javaScriptEnabled: false });
    const text = (await page.locator('body').textContent()) ?? '';
    expect(text).toMatch(/\d\skWh/);
    expect(text).toMatch(/\d\sm³/);
    expect(text).toMatch(/\d+\s% of the time measured/);
    await context.close();
  });

  test('both alarms clear within five minutes of the start', { timeout: 6 * MINUTE }, async () => {
    for (const rule of ['batterySocCritical', 'pumpDryRun'])
      await until(
        async () => ['normal', 'returned'].includes((await alarmOf(rule))?.state ?? ''),
        startedAt + 5 * MINUTE,
      );
    expect((await alarmOf('pumpDryRun'))?.state).toBe('normal');
  });

  test('a visitor breaks a post without JavaScript or with it, and the product says so', {
    timeout: MINUTE,
  }, async () => {
    const { page, context } = await open('/#/');
    await page.getByRole('link', { name: 'Break it' }).click();
    await page.getByLabel('What goes wrong').selectOption('linkDown');
    await page.getByRole('button', { name: 'Break it' }).click();
    const state = page.locator('#state');
    await state.getByText('offline', { exact: true }).waitFor({ timeout: 20 * SECOND });
    await state.getByRole('button', { name: 'Mend' }).click();
    await state.getByText('Nothing is broken.').waitFor({ timeout: 10 * SECOND });
    await context.close();

    const plain = await open('/demo?post=kyzyl-art', 360, { javaScriptEnabled: false });
    await plain.page.getByLabel('What goes wrong').selectOption('stuck');
    await plain.page.getByRole('button', { name: 'Break it' }).click();
    expect(await plain.page.getByRole('alert').textContent()).toContain('choose one');
    await plain.context.close();
  });

  test('when the server goes, the page says so and keeps the last values with their age; nothing is left running', {
    timeout: MINUTE,
  }, async () => {
    const { page, context } = await open('/#/');
    await page.getByText('Karakul', { exact: true }).waitFor({ timeout: 10 * SECOND });
    const spoken = complaints.length;
    expect(await demo.stop('SIGINT')).toBe(0);
    await page
      .getByText('No connection')
      .first()
      .waitFor({ timeout: 20 * SECOND });
    expect(await page.getByText('Karakul', { exact: true }).isVisible()).toBe(true);
    expect((await page.locator('main').textContent()) ?? '').toMatch(/ago/);
    await context.close();
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`oftob-demo-${demo.child.pid}-`))).toEqual([]);
    // The browser itself complains about the connection that was refused.
    expect(complaints.slice(0, spoken)).toEqual([]);
  });
});
