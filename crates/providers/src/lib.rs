//! Where nodes come from: local namespaces and a scripted fake.

pub mod local;
