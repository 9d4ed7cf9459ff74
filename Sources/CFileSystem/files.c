// Swift's Glibc module does not show the call.
#define _GNU_SOURCE
#include "mtl_files.h"

#include <fcntl.h>
#include <stdio.h>

int mtl_exchange(const char *a, const char *b) {
    return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}
