/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/buf.h"
#include "rootfs/manifest.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define HEX2 "0000000000000000000000000000000000000000000000000000000000000002"
#define LAYER_TYPE "application/vnd.oci.image.layer.v1.tar+gzip"
#define CONFIG "\"config\":{\"mediaType\":\"c\",\"digest\":\"sha256:" HEX "\",\"size\":5}"
#define LAYER "{\"mediaType\":\"" LAYER_TYPE "\",\"digest\":\"sha256:" HEX2 "\",\"size\":7}"

static int parse(const char *text, struct manifest *manifest, struct err *err) {
    *err = (struct err){0};
    return manifest_parse(text, strlen(text), manifest, err);
}

Test(manifest, of_an_image) {
    struct manifest manifest = MANIFEST_INIT;
    struct err err;

    cr_assert_eq(
        parse("{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER "," LAYER "]}", &manifest, &err),
        0, "%s", err.message);
    cr_assert(!manifest.is_index);
    cr_assert_str_eq(manifest.config.digest.hex, HEX);
    cr_assert_eq(manifest.config.size, 5);
    cr_assert_eq(manifest.list.n, 2);
    cr_assert_str_eq(manifest.list.items[1].digest.hex, HEX2);
    cr_assert_eq(manifest.list.items[1].size, 7);
    manifest_done(&manifest);
}

Test(manifest, of_docker) {
    static const char text[] =
        "{\"schemaVersion\":2,\"mediaType\":"
        "\"application/vnd.docker.distribution.manifest.v2+json\"," CONFIG ",\"layers\":[{"
        "\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar.gzip\",\"size\":1,"
        "\"digest\":\"sha256:" HEX "\"}]}";
    struct manifest manifest = MANIFEST_INIT;
    struct err err;

    cr_assert_eq(parse(text, &manifest, &err), 0, "%s", err.message);
    manifest_done(&manifest);
}

Test(manifest, refuses_what_is_none) {
    static const struct {
        const char *text;
        const char *says;
    } bad[] = {
        {"", "JSON"},
        {"{", "JSON"},
        {"[]", "object"},
        {"null", "JSON"},
        {"{}", "neither"},
        {"{\"a\":1,\"a\":2}", "JSON"},
        {"{\"layers\":[]}", "neither"},
        {"{\"config\":{},\"layers\":[]}", "no digest"},
        {"{" CONFIG ",\"layers\":[],\"manifests\":[]}", "in one"},
        {"{\"fsLayers\":[]}", "schema 1"},
        {"{\"config\":{\"digest\":\"sha256:" HEX "\",\"size\":-1},\"layers\":[]}", "-1"},
        {"{\"config\":{\"digest\":\"sha256:" HEX "\",\"size\":1.5},\"layers\":[]}", "no size"},
        {"{\"config\":{\"digest\":\"sha256:" HEX "\",\"size\":99999999999999999999},\"layers\":[]}",
         "JSON"},
        {"{\"config\":{\"digest\":\"sha256:../../../../etc/passwd\",\"size\":1},\"layers\":[]}",
         "no digest"},
        {"{\"config\":{\"digest\":\"md5:12\",\"size\":1},\"layers\":[]}", "known kind"},
        {"{" CONFIG ",\"layers\":[1]}", "no digest"},
        {"{" CONFIG ",\"layers\":[{\"digest\":\"sha256:" HEX "\",\"size\":1,"
         "\"mediaType\":\"application/vnd.cncf.helm.chart\"}]}",
         "no container image"},
        {"{" CONFIG ",\"layers\":[{\"digest\":\"sha256:" HEX "\",\"size\":1,"
         "\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip+encrypted\"}]}",
         "encrypted"},
        {"{\"manifests\":[{\"size\":1}]}", "no digest"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct manifest manifest = MANIFEST_INIT;
        struct err err;

        cr_assert_lt(parse(bad[i].text, &manifest, &err), 0, "%s", bad[i].text);
        cr_assert_not_null(strstr(err.message, bad[i].says), "%s: %s", bad[i].text, err.message);
    }
}

Test(manifest, refuses_depth_and_numbers_without_end) {
    struct manifest manifest = MANIFEST_INIT;
    struct buf text = BUF_INIT;
    struct err err;

    for (int i = 0; i < 1000000; i++)
        buf_puts(&text, "{\"a\":");
    cr_assert_eq(parse(text.data, &manifest, &err), -EBADMSG);
    buf_done(&text);
    buf_puts(&text, "{" CONFIG ",\"layers\":[" LAYER);
    for (int i = 0; i < MANIFEST_LAYERS_MAX; i++)
        buf_puts(&text, "," LAYER);
    buf_puts(&text, "]}");
    cr_assert_eq(parse(text.data, &manifest, &err), -EBADMSG);
    cr_assert_not_null(strstr(err.message, "layers"));
    buf_done(&text);
    buf_puts(&text, "{\"manifests\":[" LAYER);
    for (int i = 0; i < MANIFEST_INDEX_MAX; i++)
        buf_puts(&text, "," LAYER);
    buf_puts(&text, "]}");
    cr_assert_eq(parse(text.data, &manifest, &err), -EBADMSG);
    buf_done(&text);
}

/* An index entry whose size tells it apart. */
#define ENTRY(size, platform, name)                                                                \
    "{\"digest\":\"sha256:" HEX "\",\"size\":" #size platform name "}"
#define PLATFORM(os, arch) ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"}"
#define NAME(name) ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}"

/* The size of the entry that is chosen, or the error. */
static int64_t choose(const char *text, const char *name, const char *platform, struct err *err) {
    struct manifest index = MANIFEST_INIT;
    const struct descriptor *d;
    struct platform wanted;
    int64_t size;

    cr_assert_eq(parse(text, &index, err), 0, "%s", err->message);
    cr_assert(index.is_index);
    cr_assert_eq(platform_parse(platform, &wanted, NULL), 0);
    d = manifest_choose(&index, name, &wanted, err);
    size = d ? d->size : err->code;
    manifest_done(&index);
    return size;
}

Test(manifest, choice_by_platform) {
    static const char text[] =
        "{\"manifests\":[" ENTRY(1, PLATFORM("linux", "arm64"), "") "," ENTRY(
            2, PLATFORM("linux", "amd64"),
            "") "," ENTRY(3, PLATFORM("unknown", "unknown"),
                          "") "," ENTRY(4, PLATFORM("windows", "amd64"), "") "]}";
    struct err err;

    cr_assert_eq(choose(text, NULL, "linux/amd64", &err), 2);
    cr_assert_eq(choose(text, NULL, "linux/arm64", &err), 1);
    cr_assert_eq(choose(text, NULL, "linux/riscv64", &err), -ENOENT);
    cr_assert_not_null(strstr(err.message, "linux/arm64"), "%s", err.message);
}

Test(manifest, choice_by_name) {
    static const char text[] =
        "{\"manifests\":[" ENTRY(1, "", NAME("a")) "," ENTRY(2, "", NAME("b")) "]}";
    static const char one[] =
        "{\"manifests\":[" ENTRY(7, PLATFORM("linux", "s390x"), NAME("x")) "]}";
    struct err err;

    cr_assert_eq(choose(text, "b", "linux/amd64", &err), 2);
    cr_assert_eq(choose(text, "c", "linux/amd64", &err), -ENOENT);
    cr_assert_not_null(strstr(err.message, "a, b"), "%s", err.message);
    cr_assert_eq(choose(text, NULL, "linux/amd64", &err), -EINVAL);
    cr_assert_not_null(strstr(err.message, "a, b"), "%s", err.message);
    /* A single one is what was meant, whatever it is made for. */
    cr_assert_eq(choose(one, NULL, "linux/amd64", &err), 7);
    cr_assert_eq(choose("{\"manifests\":[]}", NULL, "linux/amd64", &err), -ENOENT);
}

static int parse_config(const char *text, struct image_description *d, struct err *err) {
    *err = (struct err){0};
    *d = IMAGE_DESCRIPTION_INIT;
    return manifest_parse_config(text, strlen(text), d, err);
}

Test(manifest, configuration) {
    static const char text[] =
        "{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\",\"config\":{"
        "\"Env\":[\"PATH=/bin\",\"A=b c\"],\"Entrypoint\":[\"/e\"],\"Cmd\":[\"x\",\"\"],"
        "\"WorkingDir\":\"/w\",\"User\":\"1:2\",\"StopSignal\":\"SIGINT\","
        "\"Volumes\":{\"/data\":{}},\"ExposedPorts\":{\"80/tcp\":{}},"
        "\"Labels\":{\"k\":\"v\"}},\"rootfs\":{\"type\":\"layers\","
        "\"diff_ids\":[\"sha256:" HEX "\",\"sha256:" HEX2 "\"]},\"history\":[{}]}";
    struct image_description d;
    struct err err;

    cr_assert_eq(parse_config(text, &d, &err), 0, "%s", err.message);
    cr_assert_str_eq(d.platform.variant, "v7");
    cr_assert_str_eq(d.config.env.items[1], "A=b c");
    cr_assert_str_eq(d.config.entrypoint.items[0], "/e");
    cr_assert_eq(d.config.cmd.n, 2);
    cr_assert_str_eq(d.config.working_dir, "/w");
    cr_assert_str_eq(d.config.user, "1:2");
    cr_assert_str_eq(d.config.stop_signal, "SIGINT");
    cr_assert_str_eq(d.config.volumes.items[0], "/data");
    cr_assert_str_eq(d.config.exposed_ports.items[0], "80/tcp");
    cr_assert_str_eq(d.config.labels.items[0], "k=v");
    cr_assert_eq(d.n_diff_ids, 2);
    cr_assert_str_eq(d.diff_ids[1].hex, HEX2);
    image_description_done(&d);
}

Test(manifest, a_configuration_may_say_nothing) {
    struct image_description d;
    struct err err;

    cr_assert_eq(parse_config("{}", &d, &err), 0);
    cr_assert_eq(d.n_diff_ids, 0);
    image_description_done(&d);
    cr_assert_eq(parse_config("{\"config\":{\"Env\":null,\"Cmd\":null,\"Volumes\":null,"
                              "\"User\":\"\",\"WorkingDir\":\"\"}}",
                              &d, &err),
                 0);
    cr_assert_null(d.config.user);
    cr_assert_null(d.config.working_dir);
    image_description_done(&d);
}

Test(manifest, refuses_a_wrong_configuration) {
    static const char *const bad[] = {
        "[]",
        "{\"config\":{\"Env\":[1]}}",
        "{\"config\":{\"Env\":[\"novalue\"]}}",
        "{\"config\":{\"Env\":[\"=x\"]}}",
        "{\"config\":{\"Env\":[\"a\\u0000b=x\"]}}",
        "{\"config\":{\"WorkingDir\":\"/a/../../b\"}}",
        "{\"config\":{\"WorkingDir\":\"..\"}}",
        "{\"config\":{\"Volumes\":{\"/x/../..\":{}}}}",
        "{\"config\":{\"Labels\":{\"k\":1}}}",
        "{\"rootfs\":{\"diff_ids\":[\"sha256:../x\"]}}",
        "{\"rootfs\":{\"diff_ids\":[null]}}",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct image_description d;
        struct err err;

        cr_assert_eq(parse_config(bad[i], &d, &err), -EBADMSG, "%s", bad[i]);
        cr_assert_neq(err.message[0], '\0');
    }
}

Test(manifest, of_a_docker_archive) {
    static const char text[] = "[{\"Config\":\"c.json\",\"RepoTags\":[\"a:1\",\"b:2\"],"
                               "\"Layers\":[\"x/layer.tar\",\"y/layer.tar\"]},"
                               "{\"Config\":\"d.json\",\"RepoTags\":null,\"Layers\":[]}]";
    static const char *const bad[] = {"{}", "[{}]", "[{\"Config\":\"c\",\"Layers\":[1]}]",
                                      "[{\"Config\":1}]"};
    struct docker_manifest manifest;
    struct err err = {0};

    cr_assert_eq(manifest_parse_docker(text, strlen(text), &manifest, &err), 0, "%s", err.message);
    cr_assert_eq(manifest.n, 2);
    cr_assert_str_eq(manifest.images[0].repo_tags.items[1], "b:2");
    cr_assert_str_eq(manifest.images[0].layers.items[1], "y/layer.tar");
    cr_assert_str_eq(manifest.images[1].config, "d.json");
    docker_manifest_done(&manifest);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(manifest_parse_docker(bad[i], strlen(bad[i]), &manifest, &err), -EBADMSG, "%s",
                     bad[i]);
}
