# SPDX-License-Identifier: Apache-2.0
#
# One Makefile, no recursion.  A variant is a build with a compiler, flags and
# a directory of its own: the product in build/, the same with sanitizers in
# build/asan/, with clang in build/clang/, and with faults that can be ordered
# in build/fault/.  All of them are made from the same rules (see "variant").

VERSION := 0.1.0
PREFIX  := /usr/local
DESTDIR :=

CC      := gcc
CLANG   := clang
B       := build

CPPFLAGS := -I. -Iengine/lib -I$(B)/gen -D_GNU_SOURCE -DMAYFLY_VERSION='"$(VERSION)"'
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wformat=2
CFLAGS   := -O2 -g
HARDEN   := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fno-plt -fno-semantic-interposition
MODE     := -std=gnu17 -fPIC -ffunction-sections -fdata-sections
LDFLAGS  := -Wl,-z,relro,-z,now
GC       := -Wl,--gc-sections
# From static archives, since each shared object costs a run a quarter of a millisecond.
LIBS     := -Wl,-Bstatic -lseccomp -lcap -Wl,-Bdynamic

LAYERS  := engine rootfs net base
SRC_base   := $(wildcard engine/base/*.c)
SRC_engine := $(filter-out engine/base/%,$(wildcard engine/*.c engine/*/*.c))
SRC_rootfs := $(wildcard rootfs/*.c)
SRC_net    := $(wildcard net/*.c)
SRC_tools  := $(wildcard tools/*.c)
SRC_fault  := tests/support/fault.c
SRC_lib    := $(foreach layer,$(LAYERS),$(SRC_$(layer)))
UNITS      := $(basename $(notdir $(wildcard tests/unit/test_*.c)))
SRC_unit_help := $(filter-out tests/unit/test_%.c,$(wildcard tests/unit/*.c)) $(wildcard tests/support/ns.c)
FUZZERS    := $(patsubst fuzz_%,%,$(basename $(notdir $(wildcard tests/fuzz/fuzz_*.c))))
SRC_fuzz_help := $(filter-out tests/fuzz/fuzz_%.c,$(wildcard tests/fuzz/*.c))
INSIDERS   := inside syscalls
HELPERS    := $(basename $(notdir $(filter-out %/fault.c %/ns.c %/replay.c,$(wildcard tests/support/*.c))))

EXAMPLES   := $(basename $(notdir $(wildcard tests/examples/*.c)))

SOURCES := $(wildcard engine/*.[ch] engine/*/*.[ch] rootfs/*.[ch] net/*.[ch] tools/*.[ch] tools/dev/*.[ch] \
                      tests/unit/*.[ch] tests/support/*.[ch] tests/fuzz/*.[ch] tests/bench/*.[ch] tests/examples/*.[ch])

.DEFAULT_GOAL := all
.SECONDARY:
.DELETE_ON_ERROR:

# The goals that install what is missing do so before the first file is compiled.
NEEDS := $(if $(filter demo,$(MAKECMDGOALS)),build) $(if $(filter check,$(MAKECMDGOALS)),build test)
DEPS  := $(if $(strip $(NEEDS)),deps)

.PHONY: deps
deps:
	tools/deps $(NEEDS)

# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '%-5s %s\n' $(1) $@)

# --- what is made by a program ---------------------------------------------------

# The filters of system calls; made now, so that no run has to.
FILTERS     := $(B)/gen/seccomp_filters.h
SRC_filters := tools/dev/filters.c $(addprefix engine/confine/seccomp_,compile.c shrink.c table.c) \
               $(SRC_base)

$(B)/gen/filters: $(SRC_filters) $(wildcard engine/confine/seccomp_*.h engine/confine/caps.h) | $(DEPS)
	@mkdir -p $(@D)
	$(call say,LINK)
	$Q$(CC) $(CPPFLAGS) $(MODE) $(WARNINGS) -O1 -o $@ $(SRC_filters) $(LIBS)

$(FILTERS): $(B)/gen/filters
	$(call say,GEN)
	$Q$< >$@

# --- variants -----------------------------------------------------------------

# $(call objects,DIR,SOURCES)
objects = $(patsubst %.c,$(1)/obj/%.o,$(2))

# $(call variant,DIR,COMPILER,COMPILE FLAGS,LINK FLAGS,MORE SOURCES OF THE LIBRARY,MORE LIBRARIES)
define variant
$(1)/obj/%.o: %.c Makefile | $$(DEPS)
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$(Q)$(2) $$(CPPFLAGS) $$(MODE) $$(WARNINGS) $(3) -MMD -MP -c -o $$@ $$<

$(1)/obj/engine/confine/seccomp.o: $(FILTERS)

$(foreach layer,$(LAYERS),
$(1)/lib$(layer).a: $(call objects,$(1),$(SRC_$(layer)) $(if $(filter base,$(layer)),$(5))) | $$(DEPS)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call say,AR)
	$$Q$$(AR) rcs $$@ $$^
)

# In the order of the layers: what reaches up finds no symbol.
$(1)/mayfly: $(call objects,$(1),$(SRC_tools)) $(foreach layer,$(LAYERS),$(1)/lib$(layer).a)
	$$(call say,LINK)
	$$Q$(2) $(3) $$(LDFLAGS) $$(GC) $(4) -o $$@ $$^ $$(LIBS) $(6)

$(1)/libmayfly.a: $(call objects,$(1),$(SRC_lib) $(5)) | $$(DEPS)
	@rm -f $$@
	$$(call say,AR)
	$$Q$$(AR) rcs $$@ $$^

$(1)/libmayfly.so: $(call objects,$(1),$(SRC_lib) $(5)) engine/lib/libmayfly.map | $$(DEPS)
	$$(call say,LINK)
	$$Q$(2) $(3) -shared $$(LDFLAGS) $$(GC) $(4) -Wl,-soname,libmayfly.so.0 -Wl,--version-script=engine/lib/libmayfly.map -o $$@ $$(filter %.o,$$^) $$(LIBS)

# Without $(GC): it would drop the section in which Criterion finds the tests.
$(1)/tests/unit/%: $(1)/obj/tests/unit/%.o $(call objects,$(1),$(SRC_unit_help) $(filter-out tools/main.c,$(SRC_tools))) $(1)/libmayfly.a
	@mkdir -p $$(@D)
	$$(call say,LINK)
	$$Q$(2) $(3) $$(LDFLAGS) $(4) -o $$@ $$^ -lcriterion $$(LIBS)

$(1)/tests/replay/%: $(1)/obj/tests/fuzz/fuzz_%.o $(1)/obj/tests/support/replay.o $(call objects,$(1),$(SRC_fuzz_help)) $(1)/libmayfly.a
	@mkdir -p $$(@D)
	$$(call say,LINK)
	$$Q$(2) $(3) $$(LDFLAGS) $(4) -o $$@ $$^ $$(LIBS)

$(1)/tests/support/example-%: $(1)/obj/tests/examples/%.o $(1)/libmayfly.a
	@mkdir -p $$(@D)
	$$(call say,LINK)
	$$Q$(2) $(3) $$(LDFLAGS) $(4) -o $$@ $$^ $$(LIBS)

# What runs inside containers finds no library there.
$(INSIDERS:%=$(1)/tests/support/%): STATIC := -static
$(1)/tests/support/%: $(1)/obj/tests/support/%.o
	@mkdir -p $$(@D)
	$$(call say,LINK)
	$$Q$(2) $(3) $$(LDFLAGS) $(4) $$(STATIC) -o $$@ $$^
endef

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

$(eval $(call variant,$(B),$$(CC),$$(CFLAGS) $$(HARDEN),,))
$(eval $(call variant,$(B)/asan,$$(CC),-O1 -g $$(SANITIZE),-static-libasan,))
$(eval $(call variant,$(B)/clang,$$(CLANG),$$(CFLAGS) $$(HARDEN),,))
$(eval $(call variant,$(B)/fault,$$(CC),$$(CFLAGS) $$(HARDEN) -DMAYFLY_FAULT,,$(SRC_fault)))
# For small boxes: no shared object, no more than 2 MiB (tools/dev/small), no registry.  What would
# open a library all the same (names of users or hosts) is a warning of the linker's, fatal here.
# It is loaded at a place of its own, so position-independent code would only be larger.
SMALL := -Os -g -fno-pic -fstack-protector-strong -D_FORTIFY_SOURCE=2 -DMAYFLY_STATIC -fno-asynchronous-unwind-tables \
         -Wno-maybe-uninitialized # guesses wrong where little is inlined
SMALL_LINK := -static -s -Wl,--fatal-warnings,-z,noseparate-code,--build-id=none,-T,tools/dev/small.ld
SMALL_LIBS := -Wl,-Bstatic -larchive -ljansson -lz -llzma -lzstd
$(eval $(call variant,$(B)/static,$$(CC),$(SMALL),$(SMALL_LINK),,$(SMALL_LIBS)))
$(eval $(call variant,$(B)/fuzz,$$(CLANG),-O1 -g $$(SANITIZE) -fsanitize=fuzzer-no-link,,))

$(B)/fuzz/fuzz_%: $(B)/fuzz/obj/tests/fuzz/fuzz_%.o $(call objects,$(B)/fuzz,$(SRC_fuzz_help)) $(B)/fuzz/libmayfly.a
	$(call say,LINK)
	$Q$(CLANG) $(SANITIZE) -fsanitize=fuzzer -o $@ $^ $(LIBS)

# Examples whose process is looked at: for memory that it leaves behind, and for races between its
# threads, for which what runs in it is instrumented and what only its children do is not.
$(B)/tests/support/leaks-%: $(B)/obj/tests/examples/%.o $(B)/libmayfly.a
	@mkdir -p $(@D)
	$(call say,LINK)
	$Q$(CC) $(CFLAGS) -fsanitize=leak $(LDFLAGS) -o $@ $^ $(LIBS)

SRC_races := $(SRC_base) $(wildcard engine/*.c engine/lib/*.c engine/live/*.c)

$(B)/races/obj/%.o: %.c Makefile | $(DEPS)
	@mkdir -p $(@D)
	$(call say,CC)
	$Q$(CC) $(CPPFLAGS) $(MODE) $(WARNINGS) -O1 -g -fsanitize=thread -MMD -MP -c -o $@ $<

$(B)/tests/support/races-%: $(B)/races/obj/tests/examples/%.o $(SRC_races:%.c=$(B)/races/obj/%.o) $(B)/libmayfly.a
	@mkdir -p $(@D)
	$(call say,LINK)
	$Q$(CC) $(CFLAGS) -fsanitize=thread $(LDFLAGS) -o $@ $^ $(LIBS)

LOOKED_AT := $(B)/tests/support/leaks-map $(B)/tests/support/races-threads

$(B)/bench/calls: $(B)/obj/tests/bench/calls.o $(B)/libmayfly.a
	@mkdir -p $(@D)
	$(call say,LINK)
	$Q$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/bench/%: $(B)/obj/tests/bench/%.o
	@mkdir -p $(@D)
	$(call say,LINK)
	$Q$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

-include $(shell find $(B) -name '*.d' 2>/dev/null)

PAGES :=  $(addprefix $(B)/pages/,man bash zsh fish)

# --- goals --------------------------------------------------------------------

.PHONY: all
all: $(B)/mayfly $(B)/libmayfly.a $(B)/libmayfly.so ## build/mayfly, build/libmayfly.a and build/libmayfly.so

.PHONY: static
static: $(B)/static/mayfly ## build/static/mayfly: one file for small boxes, without registries
	tools/dev/small $<

.PHONY: demo
demo: all ## install what is missing, build, and show a container at work
	tests/support/demo $(B)/mayfly

support = $(HELPERS:%=$(1)/tests/support/%) $(EXAMPLES:%=$(1)/tests/support/example-%)

.PHONY: check
check: check-static check-unit check-fuzz check-install check-system ## install what is missing, build, and pass every test
	@cat $(B)/results/*

.PHONY: check-unit
check-unit: $(UNITS:%=$(B)/tests/unit/%) ## what needs no container, as root also as an ordinary user
	tests/support/run-unit $(B)/results $^

.PHONY: check-install
check-install: all ## the installed library, used by programs outside of the tree
	tests/support/run-install $(B)/results $(MAKE) --no-print-directory

.PHONY: check-system
check-system: all $(B)/fault/mayfly $(call support,$(B)) $(LOOKED_AT) ## containers, in each of the three id modes
	tests/support/run-system --results $(B)/results --mayfly $(B)/mayfly --fault $(B)/fault/mayfly --helpers $(B)/tests/support $(TESTS)

.PHONY: check-vm
check-vm: all $(B)/fault/mayfly $(call support,$(B)) $(B)/static/mayfly $(B)/static/tests/support/climb ## the same and more in virtual machines: cgroup v2, a small box
	tests/support/run-vms --build $(B) --results $(B)/results $(TESTS)

.PHONY: check-fuzz
check-fuzz: $(FUZZERS:%=$(B)/asan/tests/replay/%) ## what fuzzing has found before, under the sanitizers
	tests/support/run-replay $(B)/results tests/fuzz/corpus $^

TIDY := $(patsubst %.c,$(B)/tidy/%.ok,$(filter %.c,$(SOURCES)))

.PHONY: check-static
check-static: $(B)/mayfly ## formatting, layering, clang-tidy, cppcheck, a build with clang, DT_NEEDED
	tools/dev/static $(B)/results $(MAKE) -k --no-print-directory \
	    static-format static-layering static-pages static-needed static-library static-small static-tidy static-cppcheck static-clang

.PHONY: static-format static-layering static-pages static-needed static-library static-small static-tidy static-cppcheck static-clang
static-format:
	clang-format --dry-run -Werror $(SOURCES)

static-layering:
	tools/dev/layering $(SOURCES)

static-pages: $(B)/mayfly $(PAGES)
	tools/dev/check-pages $< $(B)/pages

static-needed: $(B)/mayfly
	tools/dev/needed $<

static-library: $(B)/libmayfly.so
	tools/dev/check-library engine/lib/mayfly.h $<

static-small: static

static-tidy: $(TIDY)

$(B)/tidy/engine/confine/seccomp.ok: $(FILTERS)

$(B)/tidy/%.ok: %.c .clang-tidy Makefile | $(DEPS)
	@mkdir -p $(@D)
	$(call say,TIDY)
	$Qclang-tidy --quiet --warnings-as-errors='*' $< -- $(CPPFLAGS) -DMAYFLY_FAULT $(MODE) $(WARNINGS) 2>$@.err || { cat $@.err >&2; exit 1; }
	@$(CC) $(CPPFLAGS) -MM -MP -MT $@ -MF $@.d $<
	@touch $@

static-cppcheck:
	cppcheck --quiet --std=c11 --error-exitcode=1 --enable=warning,performance,portability \
	    --inline-suppr --suppressions-list=tools/dev/cppcheck.supp --cppcheck-build-dir=$(call made,$(B)/cppcheck) \
	    $(filter-out -DMAYFLY_VERSION=%,$(CPPFLAGS)) -DMAYFLY_VERSION='"0"' -DMAYFLY_CPPCHECK $(filter-out tests/unit/%,$(filter %.c,$(SOURCES)))

made = $(shell mkdir -p $(1))$(1)

static-clang: $(B)/clang/mayfly $(B)/clang/libmayfly.so $(UNITS:%=$(B)/clang/obj/tests/unit/%.o) $(call support,$(B)/clang)

.PHONY: asan
asan: $(B)/asan/mayfly $(UNITS:%=$(B)/asan/tests/unit/%) $(call support,$(B)) ## the unit and system tests with AddressSanitizer and UBSan
	tests/support/run-unit $(B)/asan/results $(UNITS:%=$(B)/asan/tests/unit/%)
	tests/support/run-system --results $(B)/asan/results --mayfly $(B)/asan/mayfly --helpers $(B)/tests/support --sanitized $(TESTS)

FUZZ_SECONDS := 30

.PHONY: fuzz
fuzz: $(FUZZERS:%=$(B)/fuzz/fuzz_%) ## each fuzz target for FUZZ_SECONDS=30, under the sanitizers
	tests/support/run-fuzz $(B)/fuzz $(FUZZ_SECONDS) $(FUZZERS)

.PHONY: bench
bench: $(B)/mayfly $(B)/bench/limit $(B)/bench/measure $(B)/bench/calls ## the cost of a run against the least that one can cost, as a table
	tests/bench/run $(B)/mayfly $(B)/bench
	tests/bench/images $(B)/mayfly

.PHONY: format
format: ## put all sources into the house's form
	clang-format -i $(SOURCES)

# The archive for others: one object in which the public names alone are left, the libraries that it
# takes along included.
$(B)/install/libmayfly.a: $(B)/libmayfly.a
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)
	$Q$(CC) -r -nostdlib -o $(@D)/mayfly.o -Wl,--whole-archive $< -Wl,--no-whole-archive $(LIBS)
	$Qobjcopy --wildcard --keep-global-symbol='mayfly_*' $(@D)/mayfly.o
	$Q$(AR) rcs $@ $(@D)/mayfly.o

DEST := $(DESTDIR)$(PREFIX)
INSTALLED := bin/mayfly include/mayfly.h lib/libmayfly.a lib/libmayfly.so.$(VERSION) lib/libmayfly.so.0 lib/libmayfly.so \
             lib/pkgconfig/mayfly.pc share/doc/mayfly/LICENSE share/man/man1/mayfly.1 \
             share/bash-completion/completions/mayfly share/zsh/site-functions/_mayfly share/fish/vendor_completions.d/mayfly.fish

# The manual page and shells' completions, from the tables of options.
$(B)/pages/%: $(B)/mayfly tools/dev/pages
	@mkdir -p $(@D)
	$(call say,PAGES)
	$Qtools/dev/pages $* $< >$@

.PHONY: install
install: all $(B)/install/libmayfly.a $(PAGES) ## install below DESTDIR= PREFIX=/usr/local
	install -D -m 755 $(B)/mayfly $(DEST)/bin/mayfly
	install -D -m 644 engine/lib/mayfly.h $(DEST)/include/mayfly.h
	install -D -m 644 $(B)/install/libmayfly.a $(DEST)/lib/libmayfly.a
	install -D -m 644 $(B)/libmayfly.so $(DEST)/lib/libmayfly.so.$(VERSION)
	ln -sf libmayfly.so.$(VERSION) $(DEST)/lib/libmayfly.so.0
	ln -sf libmayfly.so.0 $(DEST)/lib/libmayfly.so
	install -d $(DEST)/lib/pkgconfig
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' engine/lib/mayfly.pc.in >$(DEST)/lib/pkgconfig/mayfly.pc
	install -D -m 644 LICENSE $(DEST)/share/doc/mayfly/LICENSE
	install -D -m 644 $(B)/pages/man $(DEST)/share/man/man1/mayfly.1
	install -D -m 644 $(B)/pages/bash $(DEST)/share/bash-completion/completions/mayfly
	install -D -m 644 $(B)/pages/zsh $(DEST)/share/zsh/site-functions/_mayfly
	install -D -m 644 $(B)/pages/fish $(DEST)/share/fish/vendor_completions.d/mayfly.fish

.PHONY: uninstall
uninstall: ## remove what install has put below DESTDIR= PREFIX=/usr/local
	rm -f $(INSTALLED:%=$(DEST)/%)

.PHONY: clean
clean: ## remove build/
	rm -rf $(B)

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16
