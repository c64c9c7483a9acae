import { defineConfig } from 'vitest/config';
import { SummaryReporter } from './tests/support/summary-reporter.js';

// The `source` condition makes every `#room/…` import resolve to TypeScript sources, never to a stale `dist/`.
const conditions = ['source'];
const resolve = { conditions: [...conditions, 'module', 'node', 'development|production'] };
const ssr = { resolve: { conditions: [...conditions, 'module', 'node', 'development|production'] } };

export default defineConfig({
  test: {
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          environment: 'node',
          include: ['{domain,contract,profiles,gateway,server,simulators,texts,cli}/**/*.test.ts'],
        },
      },
      {
        resolve: { conditions: [...conditions, 'module', 'browser', 'development|production'] },
        ssr,
        oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
        test: { name: 'dashboards', environment: 'happy-dom', include: ['dashboards/**/*.test.{ts,tsx}'] },
      },
      {
        resolve,
        ssr,
        oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
        test: {
          name: 'tests',
          environment: 'node',
          include: ['tests/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
