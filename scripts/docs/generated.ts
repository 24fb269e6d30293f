/** What is generated in README.md, by the marker it stands under: written by docs.ts, held by a test. */
import { balancerOptions } from '../../src/options/balancer-options.ts';
import {
  drainCommandOptions,
  undrainCommandOptions,
} from '../../src/options/drain-command-options.ts';
import { healthCommandOptions } from '../../src/options/health-options.ts';
import { renderCommandOptions } from '../../src/options/render-options.ts';
import { seedCommandOptions } from '../../src/options/seed-options.ts';
import { waitCommandOptions } from '../../src/options/wait-options.ts';
import { watchdogOptions } from '../../src/options/watchdog-options.ts';
import { optionTable } from './option-table.ts';

export const readmePath = new URL('../../README.md', import.meta.url);

export const generatedTables: Readonly<Record<string, string>> = {
  'options:watchdog': optionTable(watchdogOptions),
  'options:balancer': optionTable(balancerOptions),
  'options:health': optionTable(healthCommandOptions),
  'options:seed': optionTable(seedCommandOptions),
  'options:render': optionTable(renderCommandOptions),
  'options:drain': optionTable(drainCommandOptions),
  'options:undrain': optionTable(undrainCommandOptions),
  'options:wait': optionTable(waitCommandOptions),
};
