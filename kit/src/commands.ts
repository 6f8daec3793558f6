/** All commands, in the order that the help shows them. */
import type { AddCommand } from './command-context.js';
import { addDoctor } from './commands/doctor.js';
import { addEngine } from './commands/engine.js';
import { addInspect } from './commands/inspect.js';
import { addTrain } from './commands/train.js';

export const commands: readonly AddCommand[] = [addDoctor, addEngine, addTrain, addInspect];
