#!/usr/bin/env node
/** The program `sim2servo-robot`. Only this file ends the process. */
import { runRobotProgram } from './robot-program.js';

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt.abort());
process.exitCode = await runRobotProgram(process.argv.slice(2), interrupt.signal);
