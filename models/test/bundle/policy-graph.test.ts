/** Tests of bundle/policy-graph; its writer is at it. */
export {};
