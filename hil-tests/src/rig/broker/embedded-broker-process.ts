/** The process of the embedded broker: it listens as it is told, and goes with its owner. */
import { EmbeddedBroker, type EmbeddedBrokerSetup } from './embedded-broker.js';

process.on('disconnect', () => process.exit());
process.once('message', (setup: EmbeddedBrokerSetup) => new EmbeddedBroker(setup));
