/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LAZY_ARCHIVE_H
#define MAYFLY_LAZY_ARCHIVE_H

#include "lazy.h"

#include <archive.h>
#include <archive_entry.h>

#define LAZY_ARCHIVE(X)                                                                            \
    X(archive_read_new)                                                                            \
    X(archive_read_free)                                                                           \
    X(archive_read_support_filter_bzip2)                                                           \
    X(archive_read_support_filter_compress)                                                        \
    X(archive_read_support_filter_gzip)                                                            \
    X(archive_read_support_filter_lz4)                                                             \
    X(archive_read_support_filter_lzip)                                                            \
    X(archive_read_support_filter_lzma)                                                            \
    X(archive_read_support_filter_xz)                                                              \
    X(archive_read_support_filter_zstd)                                                            \
    X(archive_read_support_format_raw)                                                             \
    X(archive_read_support_format_tar)                                                             \
    X(archive_read_open)                                                                           \
    X(archive_read_open2)                                                                          \
    X(archive_read_next_header)                                                                    \
    X(archive_read_header_position)                                                                \
    X(archive_read_data)                                                                           \
    X(archive_read_data_block)                                                                     \
    X(archive_filter_bytes)                                                                        \
    X(archive_error_string)                                                                        \
    X(archive_set_error)                                                                           \
    X(archive_entry_filetype)                                                                      \
    X(archive_entry_gid)                                                                           \
    X(archive_entry_hardlink)                                                                      \
    X(archive_entry_mtime)                                                                         \
    X(archive_entry_mtime_nsec)                                                                    \
    X(archive_entry_pathname)                                                                      \
    X(archive_entry_perm)                                                                          \
    X(archive_entry_size)                                                                          \
    X(archive_entry_sparse_count)                                                                  \
    X(archive_entry_symlink)                                                                       \
    X(archive_entry_uid)                                                                           \
    X(archive_entry_xattr_count)                                                                   \
    X(archive_entry_xattr_next)                                                                    \
    X(archive_entry_xattr_reset)

struct lazy_archive {
    LAZY_ARCHIVE(LAZY_MEMBER)
};

/** lazy_archive() - libarchive's functions, loaded; NULL with a text when it is not there. */
const struct lazy_archive *lazy_archive(struct err *err);

#endif
