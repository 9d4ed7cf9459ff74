#pragma once
#include <curl/curl.h>

// Options are set by a function with variable arguments, which Swift does not import: one function for
// each type of argument.

typedef size_t (*mtl_curl_data)(char *bytes, size_t size, size_t count, void *context);
typedef int (*mtl_curl_progress)(void *context, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t);

static inline CURLcode mtl_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode mtl_curl_set_number(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode mtl_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode mtl_curl_set_context(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode mtl_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode mtl_curl_set_data(CURL *handle, CURLoption option, mtl_curl_data value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode mtl_curl_set_progress(CURL *handle, mtl_curl_progress value) {
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, value);
}
static inline CURLcode mtl_curl_status(CURL *handle, long *status) {
    return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, status);
}
