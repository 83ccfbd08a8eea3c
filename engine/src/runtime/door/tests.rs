//! A door and its visitors: within one process, through a real socket.
