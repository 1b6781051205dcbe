# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# libmayfly from C: tests/examples.  What each call does is in tests/unit/test_library*.c.

test_library_maps_a_function_over_containers() {
    runs "$helpers/example-map" "$busybox"
    expect_out 'anonymous: the sum is 338350, 100 times in a fresh container
mapper: the sum is 338350, 1 times in a fresh container'
}

# The same under LeakSanitizer, which looks when the program ends; what else calls could leave
# behind is counted in tests/unit/test_library_function.c.
test_library_leaves_no_memory_after_a_thousand_calls() {
    only root # the caller's memory knows nothing of ids
    not_sanitized "a program with a sanitizer of its own"
    runs "$helpers/leaks-map" "$busybox" 1000
    expect_out 'anonymous: the sum is 333833500, 1000 times in a fresh container
mapper: the sum is 333833500, 1 times in a fresh container'
    expect_silence
}

# Under ThreadSanitizer, which complains of what two threads do to the same memory.
test_library_is_used_by_several_threads() {
    not_sanitized "a program with a sanitizer of its own"
    runs "$helpers/races-threads" "$busybox"
    expect_out '20 answers of 20'
    expect_silence
}

test_library_supervises_by_events() {
    run "$helpers/example-supervisor" "$busybox"
    expect_status 0
    sort "$TEST_DIR/out" >sorted
    expect_same "$(cat sorted)" "$(printf '%s\n' 'hopeless: given up, status 134' \
        'second thoughts: done at the start number 2' 'steady: done at the start number 1')"
}

test_library_chains_functions_from_container_to_container() {
    fresh_store
    runs "$helpers/example-chain" "$busybox"
    # The trial that breaks it is undone, and done again the second time; the rest is remembered.
    expect_out '3 functions carried out; it says: buzz
1
1 functions carried out; it says: buzz
1'
}

test_library_attaches_to_a_container_that_somebody_runs() {
    runs "$mayfly" run -d --net none --name looked-after --hostname inside "$busybox" \
        sh -c 'trap "exit 7" USR1; while :; do sleep 1; done'
    runs "$helpers/example-attach" looked-after
    expect_out 'looked-after is not asked: inside
it ended with status 7'
    run "$helpers/example-attach" looked-after
    expect_status 1
    expect_err 'looked-after is not running'
    run "$helpers/example-attach" nobody
    expect_status 1
    expect_err 'nobody'
    runs "$mayfly" rm looked-after
}
