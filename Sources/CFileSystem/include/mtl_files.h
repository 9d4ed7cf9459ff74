#pragma once

/// Exchanges what two paths name, in one step; 0, or -1 with errno set.
int mtl_exchange(const char *a, const char *b);
