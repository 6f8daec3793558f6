/** Tests of bundle/load-bundle; its writer is at it. */
export {};
