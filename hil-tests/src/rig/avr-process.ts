/** The process of the rig `avr`. */
import { AvrServer } from './avr-server.js';
import { serveRig } from './serve-rig.js';

serveRig(AvrServer.start);
