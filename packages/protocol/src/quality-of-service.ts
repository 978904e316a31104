/** Quality of Service: at most once (0), at least once (1), exactly once (2). */
export type QoS = 0 | 1 | 2
