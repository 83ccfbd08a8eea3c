//! What is truly about Unix: its signals and job control, what outlives the engine, its locales, modes of files, sockets
//! that are files, limits of the system, disks that a test mounts, shells, and what the book shows typed into one. The
//! database is started as Unix does, and wine is a program of Unix.

mod across;
#[cfg(target_os = "linux")]
mod bad_disk;
mod bad_folder;
mod bad_network;
mod bad_surroundings;
mod book;
mod completion;
mod doctor;
mod graph_steps;
mod key_store;
mod locale;
mod lost_answer;
mod man;
mod orphans;
mod powershell;
mod practice;
mod shared_runs;
mod signals;
mod sockets;
mod suspend;
mod workers;
mod workers_ask;
mod workers_proven;
