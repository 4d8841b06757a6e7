//! Every bound of this crate in one place, each with its reason.

use std::time::Duration;

/// The port of ssh where nobody says another.
pub const SSH_PORT: u16 = 22;

/// Size of a `known_hosts` file; a bigger one is something else.
pub const KNOWN_HOSTS_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Size of a file of an ssh configuration.
pub const SSH_CONFIG_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Dialling, key exchange and log-in together. A loaded node forks sshd in
/// well under a second; a node that needs longer is better reported.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that are being made at once, whatever the fan-out. More would
/// only make each key exchange wait longer for a processor, and strain the
/// log-in limits of what lies between.
pub const CONNECTS_MAX: usize = 64;

/// Tries to connect to a node that turns us away because it is busy.
pub const CONNECT_TRIES_MAX: u32 = 6;

/// First pause between two such tries, about the time of a log-in.
pub const CONNECT_BACKOFF_FIRST: Duration = Duration::from_millis(100);

/// Longest pause between two such tries.
pub const CONNECT_BACKOFF_MAX: Duration = Duration::from_millis(1600);

/// A last try is given this long even if the time is nearly over.
pub const CONNECT_TRY_MIN: Duration = Duration::from_millis(500);

/// A session unused for longer is asked for a sign of life before it is lent.
pub const IDLE_TRUSTED_FOR: Duration = Duration::from_secs(5);

/// That sign must come within this time, or a new session is made.
pub const IDLE_PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Sessions that an executor keeps while nobody has them, about 100 KiB each.
pub const SESSIONS_KEPT_MAX: usize = 4096;

/// Sessions to one node that commands have to themselves. Further commands
/// share one more.
pub const OWN_SESSIONS_MAX: usize = 3;

/// After so many commands a connection is replaced: servers leak a little for
/// each (the embedded one 3.6 KiB, measured), and keys get old.
pub const COMMANDS_PER_CONNECTION_MAX: usize = 500;

/// Open files besides those of connections.
pub const OTHER_FILES: usize = 256;

/// A quiet connection is probed this often.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// So many unanswered probes and the node is dead: half a minute or so, which
/// outlasts a frozen hypervisor and not a person's patience.
pub const KEEPALIVES_UNANSWERED_MAX: usize = 3;

/// The kernel gives up on unacknowledged data after this. Probes alone do not
/// see a node that dies while we are sending.
pub const TCP_USER_TIMEOUT: Duration = Duration::from_secs(45);

/// Opening a channel on a live connection is one round trip.
pub const CHANNEL_OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Pauses before trying again to open a channel that the node had no place
/// for. A second and a quarter together: sshd frees a place in milliseconds.
pub const CHANNEL_OPEN_PAUSES: [Duration; 7] = [
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(80),
    Duration::from_millis(160),
    Duration::from_millis(320),
    Duration::from_millis(640),
];

/// How long a goodbye (signal, end of channel) may take to be handed to the
/// connection before it is simply dropped.
pub const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

/// After a command's exit code, output of processes it left behind is waited
/// for while it keeps coming with gaps no longer than this. sshd would keep
/// the channel open for as long as one of them holds the pipe.
pub const AFTER_EXIT_QUIET: Duration = Duration::from_secs(1);

/// Commands and terminals at once on one connection. sshd's `MaxSessions` is
/// 10 by default; further ones wait their turn here.
pub const CHANNELS_PER_SESSION_MAX: usize = 10;

/// Bytes that a node may send on a channel before we must have taken some.
/// 1 MiB fills 80 Mbit/s at 100 ms round trip.
pub const WINDOW_BYTES: u32 = 1024 * 1024;

/// Bytes of a command with everything around it. sshd hangs up on a packet of
/// more than 256 KiB (`PACKET_MAX_SIZE`), and a command is one packet; 1 KiB is
/// left for its head and padding. Linux nodes with pages of 4 KiB begin no
/// command of more than 128 KiB, and say so themselves.
pub const COMMAND_BYTES_MAX: usize = 255 * 1024;

/// Bytes of one packet. The protocol's customary size.
pub const PACKET_BYTES_MAX: u32 = 32 * 1024;

/// Packets of one channel that wait in our memory for a slow reader. With
/// [`PACKET_BYTES_MAX`] this is 256 KiB; beyond it the connection is not read.
pub const CHANNEL_PACKETS_MAX: usize = 8;

/// Output that a command on a shared connection may have waiting for its
/// reader. Beyond this the connection is not read, as no window can be held
/// back for one channel alone.
pub const SHARED_BACKLOG_BYTES: usize = 8 * 1024 * 1024;

/// New keys after so many bytes in one direction, as RFC 4253 advises.
pub const REKEY_BYTES: usize = 1 << 30;

/// New keys after so long.
pub const REKEY_AFTER: Duration = Duration::from_secs(3600);

/// Standard input of a command is cut into pieces of this size.
pub const STDIN_PIECE_BYTES: usize = 32 * 1024;

/// Input for many nodes is kept in a file and read from it in pieces of this
/// size; each node holds one in memory.
pub const SPOOL_PIECE_BYTES: usize = 64 * 1024;

/// So far ahead of the fastest node input for many is read: endless input must
/// not fill the disk once no command reads any more.
pub const SPOOL_AHEAD_BYTES: u64 = 64 * 1024 * 1024;

/// Nodes that a command runs on at once, when nobody says otherwise.
pub const FANOUT_MAX: usize = 64;

/// A node that has not let us in after this gives its place in the fan-out
/// back while it goes on trying, so that dead nodes do not hold up live ones.
pub const SLOT_GRACE: Duration = Duration::from_secs(2);

/// Nodes at once that try to connect without a place in the fan-out. Each is
/// a socket and a few kilobytes.
pub const SLOW_CONNECTS_MAX: usize = 512;

/// Events that wait for the reader of a run. A full queue stops the nodes, not
/// the memory.
pub const RUN_EVENTS_MAX: usize = 1024;

/// Output of all nodes together that waits for the reader of a run. A full
/// budget stops the nodes, not the memory. A quiet node's line waits behind
/// this much of a chatty one's, and so does Ctrl-C: a terminal takes a few
/// megabytes a second.
pub const RUN_EVENT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A line longer than this is delivered in pieces.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// What [`Session::output`](crate::Session::output) keeps of each stream.
pub const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

/// First pause between two tries to get into a booting node.
pub const WAIT_BACKOFF_FIRST: Duration = Duration::from_millis(15);

/// Longest pause between two tries to get into a booting node.
pub const WAIT_BACKOFF_MAX: Duration = Duration::from_millis(500);

/// One try to get into a booting node. Short: a node that accepted the
/// connection before it was ready may never answer on it.
pub const WAIT_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections to an ssh agent at once. One gives a thousand signatures a
/// second; more than a few gain nothing, and some agents bear one only.
pub const AGENT_CONNECTIONS_MAX: usize = 8;

/// An agent that does not list its keys for so long is stuck.
pub const AGENT_LIST_TIMEOUT: Duration = Duration::from_secs(5);

/// Wrong passphrases for one key file, as ssh has it.
pub const PASSPHRASE_TRIES_MAX: usize = 3;

/// Looks, a millisecond apart, at why a node hung up.
pub const GOODBYE_LOOKS: usize = 100;

/// What a server says before it names its protocol; more is of no interest.
pub const FIRST_WORDS_BYTES_MAX: usize = 256;

/// Pauses before trying again to log in to a bastion that is busy.
pub const BASTION_PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(600), Duration::from_millis(1800)];

/// Bytes of one node that a bastion has sent and nobody has read yet. The
/// windows of a node's channels, 10 of 1 MiB, stay below it.
pub const FORWARD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Size of a private key file; a bigger one is something else.
pub const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Bytes read ahead on a connection, so that the few small packets of a short
/// command cost one call of the kernel and not two each. Larger reads go
/// around it.
pub const INBOX_BYTES: usize = 1024;

/// Bytes kept for a peer that does not read. Channel windows keep it far below
/// this; beyond it a write waits.
pub const OUTBOX_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Server: bytes that a client may send to a command before we have read some.
/// Small, as nodes have little memory.
pub const SERVER_WINDOW_BYTES: u32 = 256 * 1024;

/// Server: packets of one channel between the connection and its command.
pub const SERVER_CHANNEL_PACKETS_MAX: usize = 4;

/// Server: packets of all commands that wait for the connection.
pub const SERVER_EVENTS_MAX: usize = 4;

/// Server: input kept for a command that does not read it. Beyond this the
/// client is made to wait.
pub const SERVER_INPUT_BYTES: usize = 512 * 1024;

/// Server: input kept for a command that cannot read it because its own output
/// is stuck, as `cat` does. The client cannot be made to wait then: the message
/// that frees the output comes behind the input. Beyond this it is ended.
pub const SERVER_STUCK_INPUT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Server: output that the client has not made room for after this is stuck.
/// Handing it to the connection takes microseconds.
pub const SERVER_STUCK_AFTER: Duration = Duration::from_millis(20);

/// Server: bytes read from a command at once.
pub const SERVER_READ_BYTES: usize = 16 * 1024;

/// Server: a terminal whose shell has ended is closed when nothing more came
/// out of it for so long, even if somebody still holds it.
pub const SERVER_TERMINAL_QUIET: Duration = Duration::from_millis(200);

/// Server: commands and terminals at once on one connection.
pub const SERVER_CHANNELS_MAX: usize = 64;

/// Server: connections at once; more are closed at the door.
pub const SERVER_CONNECTIONS_MAX: usize = 256;

/// Server: time to log in. As sshd's `LoginGraceTime`, shorter.
pub const SERVER_LOGIN_TIMEOUT: Duration = Duration::from_secs(60);

/// Server: tries to log in on one connection. People's agents offer several
/// keys; as sshd's `MaxAuthTries`.
pub const SERVER_AUTH_TRIES_MAX: usize = 6;

/// Server: answer to a key that is not known. There is no password to guess,
/// so this only slows floods.
pub const SERVER_REJECTION_TIME: Duration = Duration::from_millis(20);

/// Server: a client that answers no probe for three of these is gone.
pub const SERVER_KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// Server: pause when the system cannot accept a connection, for example
/// because it is out of file descriptors.
pub const SERVER_ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Server: size of the file of authorised keys.
pub const SERVER_AUTHORIZED_KEYS_BYTES_MAX: u64 = 256 * 1024;

/// Server: variables that a client may set for one command.
pub const SERVER_VARIABLES_MAX: usize = 64;

/// Gathered output of one node and stream that stays in memory; more goes to
/// disk. Most commands print less than this.
pub const GATHER_STREAM_BYTES_MAX: usize = 64 * 1024;

/// Gathered output of all nodes that stays in memory.
pub const GATHER_BYTES_MAX: usize = 24 * 1024 * 1024;

/// Gathered output is read back from disk in pieces of this size.
pub const GATHER_READ_BYTES: usize = 64 * 1024;

/// Masked places of all folded outputs whose text is compared one by one, 8
/// bytes each. Places beyond this count as different.
pub const FOLD_PLACES_MAX: usize = 1024 * 1024;

/// Characters kept of what a subsystem complains about before it ends.
pub const COMPLAINT_CHARACTERS_MAX: usize = 200;

/// SFTP: a request that is not answered for so long, with nothing else
/// answered meanwhile, is given up. Long: bringing a large file to a slow disk
/// is one request. That the node is dead is seen much sooner by probes.
pub const SFTP_REPLY_TIMEOUT: Duration = Duration::from_secs(300);

/// SFTP: requests on their way at once on one connection, each counted once
/// per [`SFTP_UNIT_BYTES`] that it moves. Together 2 MiB: 160 Mbit/s at 100 ms
/// round trip, and what a node's memory notices least.
pub const SFTP_UNITS_MAX: u32 = 64;

/// SFTP: what one unit moves; also what is read or written with one request
/// where the server names no limits.
pub const SFTP_UNIT_BYTES: u32 = 32 * 1024;

/// SFTP: what is read or written with one request at most. OpenSSH takes
/// 255 KiB; an eighth of the answers of 32 KiB costs an eighth of the wake-ups.
pub const SFTP_REQUEST_BYTES_MAX: u32 = 128 * 1024;

/// SFTP: names in one directory of a node that we list.
pub const SFTP_NAMES_MAX: usize = 1_000_000;

/// Server: files and directories that one sftp client may have open. Ours has
/// eight.
pub const SERVER_SFTP_HANDLES_MAX: usize = 128;

/// Server: names told at once. With their long forms they fit a packet.
pub const SERVER_SFTP_NAMES: usize = 100;

/// Server: bytes read and written at once by the server of files.
pub const SERVER_SFTP_BUFFER_BYTES: usize = 64 * 1024;

/// Copy: local files are read in blocks of this size, once for all nodes.
pub const COPY_BLOCK_BYTES: u64 = 256 * 1024;

/// Copy: blocks kept for nodes that come later to the same place. What does
/// not fit is read again, from the system's cache.
pub const COPY_BLOCKS_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Copy: files of one node under way at once. Hides round trips of small
/// files; large ones share the requests of the connection.
pub const COPY_FILES_AT_ONCE: usize = 8;

/// Copy: files that are hashed with one command and then put in place.
pub const COPY_BATCH_FILES: usize = 128;

/// Copy: failures of one node that are kept; the others are counted.
pub const COPY_FAILURES_MAX: usize = 100;

/// Copy: files, directories and links in one tree.
pub const COPY_ENTRIES_MAX: usize = 1_000_000;

/// Copy: directories in directories.
pub const COPY_DEPTH_MAX: usize = 200;

/// Copy: what is read of a file that says it is empty and is not.
pub const COPY_UNSIZED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Copy: bytes that are hashed and written to the local disk at once.
pub const COPY_WRITE_BYTES: usize = 512 * 1024;

/// Copy: time that a node has to hash files, beside that for their bytes.
pub const COPY_HASH_TIMEOUT: Duration = Duration::from_secs(60);

/// Copy: bytes that a node hashes in a second at the very least. Disks of old
/// machines under load are slower than any processor.
pub const COPY_HASH_BYTES_PER_SECOND: u64 = 5 * 1024 * 1024;
