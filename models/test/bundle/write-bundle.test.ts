/** Tests of bundle/write-bundle; its writer is at it. */
export {};
