/** Tests of bundle/manifest; its writer is at it. */
export {};
