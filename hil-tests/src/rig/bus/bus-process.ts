/** The process of the rig `bus`. */
import { serveRig } from '../serve-rig.js';
import { BusServer } from './bus-server.js';

serveRig(BusServer.start);
