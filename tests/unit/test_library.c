/* SPDX-License-Identifier: Apache-2.0 */
/* libmayfly: plans and images, and what a call leaves alone of its caller. */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/lib/mayfly.h"
#include "scratch.h"
#include "tarball.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- plans --------------------------------------------------------------------- */

Test(library, a_plan_takes_the_options_of_the_command_line) {
    struct mayfly_plan *plan = NULL;
    struct mayfly_error error = {0};

    cr_assert_eq(mayfly_plan_new("busybox", &plan, &error), 0, "%s", error.message);
    cr_expect_eq(mayfly_plan_option(plan, "env", "A=1", &error), 0, "%s", error.message);
    cr_expect_eq(mayfly_plan_option(plan, "read-only", NULL, &error), 0, "%s", error.message);
    cr_expect_eq(mayfly_plan_option(plan, "wings", "2", &error), -ENOENT);
    cr_expect_eq(error.code, -ENOENT);
    cr_expect(strstr(error.message, "wings"), "%s", error.message);
    cr_expect_eq(mayfly_plan_option(plan, "volume", "nowhere", &error), -EINVAL);
    cr_expect_eq(mayfly_plan_option(plan, "volume", "nowhere", NULL), -EINVAL);
    mayfly_plan_free(plan);
    mayfly_plan_free(NULL);
}

Test(library, it_says_its_version) {
    cr_expect_str_eq(mayfly_version(), MAYFLY_VERSION);
}

/* --- images -------------------------------------------------------------------- */

struct place {
    struct scratch scratch;
    char path[300];
    char tarball[300];
};

static void place_init(struct place *store) {
    _cleanup_buf_ struct buf tar = BUF_INIT;

    scratch_init(&store->scratch);
    snprintf(store->path, sizeof store->path, "%s/images", store->scratch.path);
    snprintf(store->tarball, sizeof store->tarball, "%s/a.tar", store->scratch.path);
    tarball_file(&tar, "hello", "hello");
    tarball_end(&tar);
    scratch_write(&store->scratch, "a.tar", tar.data, tar.size);
}

Test(library, an_image_comes_gets_names_and_goes) {
    struct place store;
    struct mayfly_image *images = NULL;
    struct mayfly_error error = {0};
    _cleanup_free_ char *id = NULL, *names = NULL;
    uint64_t freed = 0;
    size_t n = 0;

    place_init(&store);
    cr_assert_eq(mayfly_image_import(store.path, store.tarball, "a:1", &id, &error), 0, "%s",
                 error.message);
    cr_assert_eq(mayfly_image_tag(store.path, "a:1", "b:2", &error), 0, "%s", error.message);
    cr_assert_eq(mayfly_image_list(store.path, &images, &n, &error), 0, "%s", error.message);
    cr_assert_eq(n, 2);
    cr_expect_str_eq(images[0].name, "docker.io/library/a:1");
    cr_expect_str_eq(images[1].name, "docker.io/library/b:2");
    cr_expect_str_eq(images[0].id, id);
    mayfly_image_list_free(images, n);

    cr_expect_eq(mayfly_image_load(store.path, store.tarball, &names, &error), -EINVAL, "%s",
                 error.message);
    cr_expect_eq(mayfly_image_tag(store.path, "c", "d", &error), -ENOENT);
    cr_expect_eq(mayfly_image_remove(store.path, "c", false, &error), -ENOENT);
    cr_expect_eq(mayfly_image_remove(store.path, "a:1", false, &error), 0, "%s", error.message);
    cr_expect_eq(mayfly_image_remove(store.path, "b:2", false, &error), 0, "%s", error.message);
    cr_expect_eq(mayfly_image_prune(store.path, true, &freed, &error), 0, "%s", error.message);
    cr_assert_eq(mayfly_image_list(store.path, &images, &n, &error), 0, "%s", error.message);
    cr_expect_eq(n, 0);
    mayfly_image_list_free(images, n);
    scratch_done(&store.scratch);
}

Test(library, a_registry_that_is_not_there_is_an_error) {
    struct place store;
    struct mayfly_error error = {0};

    place_init(&store);
    cr_expect_lt(mayfly_image_pull(store.path, "127.0.0.1:1/none:1", NULL, &error), 0);
    cr_expect(strstr(error.message, "127.0.0.1:1/none"), "%s", error.message);
    scratch_done(&store.scratch);
}

/* --- networks -------------------------------------------------------------------- */

Test(library, a_network_comes_and_goes) {
    const struct mayfly_network wanted = {.name = (char *)"lan",
                                          .subnet = (char *)"10.91.0.0/24",
                                          .gateway = (char *)"10.91.0.9",
                                          .host_access = true,
                                          .mtu = 1400};
    const struct mayfly_network twofold = {
        .name = (char *)"x", .leads_out = true, .host_access = true};
    const struct mayfly_network nameless = {.mtu = 1};
    struct mayfly_network *networks = NULL, *network = NULL;
    struct mayfly_error error = {0};
    struct place store;
    size_t n = 0;

    place_init(&store);
    cr_assert_eq(mayfly_network_create(store.path, &wanted, &error), 0, "%s", error.message);
    cr_expect_eq(mayfly_network_create(store.path, &wanted, &error), -EEXIST);
    cr_expect_eq(mayfly_network_create(store.path, &twofold, &error), -EINVAL);
    cr_expect_eq(mayfly_network_create(store.path, &nameless, &error), -EINVAL);
    cr_assert_eq(mayfly_network_list(store.path, &networks, &n, &error), 0, "%s", error.message);
    cr_assert_eq(n, 5);
    cr_expect(networks[0].is_built_in && !networks[4].is_built_in);
    cr_expect_str_eq(networks[0].name, "bridge");
    cr_expect_str_eq(networks[4].name, "lan");
    mayfly_network_list_free(networks, n);

    cr_assert_eq(mayfly_network_inspect(store.path, "lan", &network, &error), 0, "%s",
                 error.message);
    cr_expect_str_eq(network->subnet, "10.91.0.0/24");
    cr_expect_str_eq(network->gateway, "10.91.0.9");
    cr_expect(network->host_access && !network->leads_out);
    cr_expect_eq(network->mtu, 1400);
    cr_expect_eq(network->n_members, 0);
    mayfly_network_list_free(network, 1);
    mayfly_network_list_free(NULL, 0);

    cr_expect_eq(mayfly_network_remove(store.path, "bridge", &error), -EINVAL);
    cr_expect_eq(mayfly_network_remove(store.path, "lan", &error), 0, "%s", error.message);
    cr_expect_eq(mayfly_network_remove(store.path, "lan", &error), -ENOENT);
    cr_expect_eq(mayfly_network_inspect(store.path, "lan", &network, &error), -ENOENT);
    cr_expect(strstr(error.message, "lan"), "%s", error.message);
    scratch_done(&store.scratch);
}

/* --- the caller ------------------------------------------------------------------ */

static int count_descriptors(void) {
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void handler(int number) {
    (void)number;
}

Test(library, the_caller_is_left_alone) {
    struct sigaction mine = {.sa_handler = handler}, before, after;
    sigset_t mask_before, mask_after;
    struct place store;
    struct mayfly_image *images = NULL;
    struct mayfly_error error = {0};
    char directory[4096], directory_after[4096];
    int n_descriptors;
    size_t n = 0;

    place_init(&store);
    sigaction(SIGCHLD, &mine, NULL);
    sigaction(SIGINT, &mine, NULL);
    sigprocmask(SIG_SETMASK, NULL, &mask_before);
    cr_assert(getcwd(directory, sizeof directory));
    umask(027);
    n_descriptors = count_descriptors();
    cr_assert_eq(mayfly_image_import(store.path, store.tarball, "a:1", NULL, &error), 0, "%s",
                 error.message);
    cr_assert_eq(mayfly_image_list(store.path, &images, &n, &error), 0, "%s", error.message);
    mayfly_image_list_free(images, n);

    cr_expect_eq(count_descriptors(), n_descriptors);
    cr_expect_eq(umask(022), 027);
    cr_assert(getcwd(directory_after, sizeof directory_after));
    cr_expect_str_eq(directory_after, directory);
    sigaction(SIGCHLD, NULL, &before);
    sigaction(SIGINT, NULL, &after);
    cr_expect(before.sa_handler == handler && after.sa_handler == handler);
    sigprocmask(SIG_SETMASK, NULL, &mask_after);
    cr_expect_eq(memcmp(&mask_before, &mask_after, sizeof mask_before), 0);
    cr_expect(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    scratch_done(&store.scratch);
}
