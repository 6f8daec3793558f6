#!/usr/bin/env -S node --no-memory-reducer
/** The program `kit`. Only this file ends the process. How Node is started says runtime/src/gc-pauses.ts. */
import { existsSync } from 'node:fs';
import { checkNode, setup } from '../../scripts/setup.mjs';

checkNode();
const main = new URL('../dist/src/main.js', import.meta.url);
if (!existsSync(main)) setup();
const { runKit } = await import(main.href);
process.exitCode = await runKit(process.argv.slice(2));
