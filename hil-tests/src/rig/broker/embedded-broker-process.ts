/** The process of the embedded broker: it listens as it is told, and goes with its owner. */
import { keepGcPausesShort } from '@sim2servo/runtime/gc-pauses';
import { favourProcess } from '../favour-process.js';
import { EmbeddedBroker, type EmbeddedBrokerSetup } from './embedded-broker.js';

favourProcess();
keepGcPausesShort();
process.on('disconnect', () => process.exit());
process.once('message', (setup: EmbeddedBrokerSetup) => new EmbeddedBroker(setup));
