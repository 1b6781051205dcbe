/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Climbs out of its root, if that is no more than chroot(2): keeps a directory
 * that is outside a further root, and goes up from there.  Prints "out" when it
 * finds the file of that name, else "in".
 *
 *   climb NAME
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct stat st;

    if (argc != 2 || (mkdir("/climb", 0700) < 0) || chroot("/climb") < 0)
        return 2;
    for (int i = 0; i < 100; i++)
        if (chdir("..") < 0)
            return 2;
    if (chroot(".") < 0)
        return 2;
    puts(stat(argv[1], &st) == 0 ? "out" : "in");
    return 0;
}
