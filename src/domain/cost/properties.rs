//! Properties over random custody.
