/** The watching thread on {@link FolderStore}. */
import { watchStore } from '../../src/releases/watch-store.js';
import { folderStores } from './folder-store.js';

await watchStore(folderStores);
