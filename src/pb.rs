//! The public contract, generated from `proto/detainer/v1`.
//!
//! Messages, clients and servers of the package `detainer.v1`, and its descriptors for reflection. Nothing is written
//! here by hand: to add a method or a field, change the `.proto` files. Only `api` and `client` name these types;
//! they turn them into the words of their own rooms at the edge and destructure messages in full, so that a new field
//! does not compile until somebody decides what it means.

#![allow(
    missing_docs,
    rustdoc::all,
    clippy::all,
    clippy::pedantic,
    reason = "generated code; what it says is said and checked in the .proto files"
)]

tonic::include_proto!("detainer.v1");

/// The encoded `FileDescriptorSet` of the contract, of the journal's records and of all they import.
pub const DESCRIPTORS: &[u8] = tonic::include_file_descriptor_set!("detainer.v1");
