/** The end of the network connection that a packet arrives at. */
export type Receiver = 'server' | 'client'
