/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/ref.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const char *or_none(const char *text) {
    return text ? text : "(none)";
}

Test(ref, places) {
    static const struct {
        const char *text;
        enum ref_kind kind;
        const char *path;
        const char *selector;
    } good[] = {
        {"host:", REF_HOST, NULL, NULL},
        {"rootfs:/srv/x", REF_ROOTFS, "/srv/x", NULL},
        {"rootfs:a:b", REF_ROOTFS, "a:b", NULL},
        {"/srv/x", REF_PATH, "/srv/x", NULL},
        {"./x", REF_PATH, "./x", NULL},
        {"../x", REF_PATH, "../x", NULL},
        {".", REF_PATH, ".", NULL},
        {"..", REF_PATH, "..", NULL},
        {"/x.tar", REF_PATH, "/x.tar", NULL},
        {"tar:x", REF_TAR, "x", NULL},
        {"tar:-", REF_TAR, "-", NULL},
        {"tar:a:b.tar", REF_TAR, "a:b.tar", NULL},
        {"busybox.tar", REF_TAR, "busybox.tar", NULL},
        {"images/Alpine-3.tar.gz", REF_TAR, "images/Alpine-3.tar.gz", NULL},
        {"a.tgz", REF_TAR, "a.tgz", NULL},
        {"a.tar.zst", REF_TAR, "a.tar.zst", NULL},
        {"oci:dir", REF_OCI, "dir", NULL},
        {"oci:/a/b:1.0", REF_OCI, "/a/b", "1.0"},
        {"oci:a:busybox:1.38", REF_OCI, "a", "busybox:1.38"},
        {"oci-archive:a.tar:x", REF_OCI_ARCHIVE, "a.tar", "x"},
        {"docker-archive:a.tar", REF_DOCKER_ARCHIVE, "a.tar", NULL},
        {"docker-archive:a.tar:foo/bar:1", REF_DOCKER_ARCHIVE, "a.tar", "foo/bar:1"},
        {"http://host/x.tar", REF_URL, "http://host/x.tar", NULL},
        {"https://host/x.tar.xz", REF_URL, "https://host/x.tar.xz", NULL},
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        _cleanup_ref_ struct ref ref = REF_INIT;
        struct err err = {0};

        cr_assert_eq(ref_parse(good[i].text, &ref, &err), 0, "%s: %s", good[i].text, err.message);
        cr_assert_eq(ref.kind, good[i].kind, "%s", good[i].text);
        cr_assert_str_eq(or_none(ref.path), or_none(good[i].path));
        cr_assert_str_eq(or_none(ref.selector), or_none(good[i].selector));
    }
}

Test(ref, names) {
    static const struct {
        const char *text;
        const char *full;
    } good[] = {
        {"debian", "docker.io/library/debian:latest"},
        {"debian:12", "docker.io/library/debian:12"},
        {"user/app", "docker.io/user/app:latest"},
        {"docker.io/debian", "docker.io/library/debian:latest"},
        {"index.docker.io/debian:x", "docker.io/library/debian:x"},
        {"host:5000/a/b:tag", "host:5000/a/b:tag"},
        {"localhost/a", "localhost/a:latest"},
        {"local/a", "docker.io/local/a:latest"},
        {"quay.io/a/b/c:V1.0_x-y", "quay.io/a/b/c:V1.0_x-y"},
        {"127.0.0.1:5000/x", "127.0.0.1:5000/x:latest"},
        {"[::1]:5000/x", "[::1]:5000/x:latest"},
        {"a__b.c_d---e", "docker.io/library/a__b.c_d---e:latest"},
        {"debian@sha256:" HEX, "docker.io/library/debian@sha256:" HEX},
        {"debian:12@sha256:" HEX, "docker.io/library/debian:12@sha256:" HEX},
        {"host:5000", "docker.io/library/host:5000"},
        {"rootfs", "docker.io/library/rootfs:latest"},
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        _cleanup_ref_ struct ref ref = REF_INIT;
        struct err err = {0};
        char *full;

        cr_assert_eq(ref_parse(good[i].text, &ref, &err), 0, "%s: %s", good[i].text, err.message);
        cr_assert_eq(ref.kind, REF_NAME);
        full = ref_format(&ref);
        cr_assert_str_eq(full, good[i].full);
        free(full);
    }
}

Test(ref, refuses_what_is_none) {
    static const char *const bad[] = {
        "",       "tar:",         "oci:",       "oci::x",    "oci:dir:", "rootfs:",
        "Debian", "debian:",      "debian:a b", "debian:-x", "debian/",  "a//b",
        "a..b",   "a___b",        "-a",         "a-",        "a b",      "a@sha256:123",
        "a@",     "host:99999/a", "host:x/a",   "ho_st:1/a", "a.b@c/d",  "a/../b",
        "a%2e",   "a\nb",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        _cleanup_ref_ struct ref ref = REF_INIT;
        struct err err = {0};
        int r = ref_parse(bad[i], &ref, &err);

        cr_assert_eq(r, -EINVAL, "'%s' was taken", bad[i]);
        cr_assert_not_null(strstr(err.message, "image "), "%s", err.message);
    }
}

Test(ref, refuses_what_is_too_long) {
    char name[400], tag[200] = "a:";
    struct ref ref = REF_INIT;

    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    cr_assert_eq(ref_parse(name, &ref, NULL), -EINVAL);
    memset(tag + 2, 't', 129);
    cr_assert_eq(ref_parse(tag, &ref, NULL), -EINVAL);
    tag[2 + 128] = '\0';
    cr_assert_eq(ref_parse(tag, &ref, NULL), 0);
    ref_done(&ref);
}
