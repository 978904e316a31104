/** Every bound and default of this package, with its reason. */

/**
 * From the accepted connection to the Transport: PROXY header, TLS handshake and WebSocket upgrade together. Long enough for
 * a device on a slow radio link, short enough that silent connections do not gather.
 */
export const HANDSHAKE_TIMEOUT_MS = 10_000

/** Connections the operating system may hold before we accept them: a fleet that reconnects at once. Linux cuts it to somaxconn. */
export const BACKLOG = 4_096

/** Idle time before TCP probes a silent peer. MQTT's own Keep Alive is 0 for some clients; this finds those that vanished. */
export const TCP_KEEP_ALIVE_SECONDS = 60

/** After `end`, how long a peer may take to close its side. Until then we read and discard, see `SocketTransport.end`. */
export const LINGER_MS = 2_000

/** PROXY protocol v1, with its CRLF: the longest line that its specification allows. */
export const PROXY_V1_BYTES_MAX = 107

/** PROXY protocol v2, header and TLVs. Addresses take 216 bytes at most; the rest is room for the TLVs of cloud load balancers. */
export const PROXY_V2_BYTES_MAX = 4_096

/** One WebSocket message, whole, before it is handed on: what a client that is not yet authenticated may make us hold. */
export const WEB_SOCKET_MESSAGE_BYTES_MAX = 1_048_576

/** Bytes on their way in memory from which `write` returns false: what a Node socket uses too. */
export const MEMORY_WRITE_BUFFER_BYTES = 65_536

/** Threads that a program may ask for: more than any machine has cores to spare for sockets beside one thread that routes. */
export const IO_THREADS_MAX = 64

/**
 * What may be on its way between the engine and an I/O thread at a time, in each direction: large enough that neither waits
 * for the other in the middle of its turn of the event loop, small enough for a second-level cache to hold much of it.
 */
export const RING_BYTES: number = 1024 * 1024

/** Connections of one I/O thread: the most file descriptors that Linux lets a process have by default. */
export const IO_THREAD_CONNECTIONS_MAX: number = 1024 * 1024

/** Bytes that an I/O thread holds for a connection from which `write` returns false: what a Node socket uses too. */
export const HANDED_OVER_WRITE_BUFFER_BYTES = 65_536

/** How often an I/O thread looks at connections whose peers are slow: what they hold shrinks without an event. */
export const SLOW_CHECK_MS = 20

/** An I/O thread that has died is followed by another after so long: one that dies at once must not take a core for that. */
export const IO_THREAD_RESTART_MS = 500

/**
 * What a browser has received while reading is paused, before the connection is closed: a WebSocket there cannot be held back. More than a
 * broker sends to a client that acknowledges nothing (1,000 messages of 16 KB), little for a page.
 */
export const HELD_BYTES_MAX: number = 16 * 1024 * 1024

/** What each message costs that a browser holds, beside its bytes: an empty one is not free. */
export const HELD_MESSAGE_OVERHEAD_BYTES = 128

/**
 * Bytes that a browser holds from which `write` returns false: four times what a Node socket uses, since room is noticed at the next look, at
 * the earliest. 64 MB/s at the shortest interval that browsers have.
 */
export const WEB_SOCKET_WRITE_BUFFER_BYTES: number = 256 * 1024

/** How often a congested WebSocket of a browser is looked at. Browsers have no shorter interval for timers that set each other. */
export const WEB_SOCKET_DRAIN_POLL_MS = 4

/** Corked writes become one WebSocket message of up to so many bytes: a broker that allows no more than this is rare. */
export const JOINED_MESSAGE_BYTES = 65_536
