#define _GNU_SOURCE
#include "mtl_edit.h"

#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// libedit's characters are `wchar_t`: a scalar, of the same size and form as `uint32_t`.
_Static_assert(sizeof(wchar_t) == sizeof(uint32_t), "wchar_t is no Unicode scalar");

struct mtl_edit {
    EditLine *line;
    HistoryW *history;
    FILE *input, *output;
    mtl_edit_owner owner;
    const wchar_t *prompt;
};

static mtl_edit *editor_of(EditLine *line) {
    void *data = NULL;
    el_wget(line, EL_CLIENTDATA, &data);
    return data;
}

static int next_key(EditLine *line, wchar_t *key) {
    mtl_edit *editor = editor_of(line);
    uint32_t scalar = 0;
    int count = editor->owner.next_key(editor->owner.context, &scalar);
    *key = (wchar_t)scalar;
    return count;
}

static wchar_t *prompt(EditLine *line) { return (wchar_t *)editor_of(line)->prompt; }

static unsigned char insert(EditLine *line, wint_t key) {
    (void)key;
    mtl_edit *editor = editor_of(line);
    editor->owner.insert(editor->owner.context);
    return CC_REFRESH;
}

static unsigned char insert_line_end(EditLine *line, wint_t key) {
    (void)key;
    el_winsertstr(line, L"\n");
    return CC_REFRESH;
}

static unsigned char complete(EditLine *line, wint_t key) {
    (void)key;
    mtl_edit *editor = editor_of(line);
    const LineInfoW *info = el_wline(line);
    editor->owner.complete(
        editor->owner.context, (const uint32_t *)info->buffer,
        (size_t)(info->cursor - info->buffer));
    return CC_REFRESH;
}

static unsigned char redraw(EditLine *line, wint_t key) {
    (void)key;
    el_resize(line);
    return CC_REDISPLAY;
}

static unsigned char to_end(EditLine *line, wint_t key) {
    (void)key;
    const LineInfoW *info = el_wline(line);
    el_cursor(line, (int)(info->lastchar - info->cursor));
    return CC_CURSOR;
}

static void bind(EditLine *line, const wchar_t *keys, const wchar_t *name) {
    el_wset(line, EL_BIND, keys, name, NULL);
}

// Binds one of the keys of `mtl_edit_owner`, in vi's command mode too.
static void bind_own(EditLine *line, wchar_t key, const wchar_t *name) {
    const wchar_t keys[] = {key, 0};
    bind(line, keys, name);
    el_wset(line, EL_BIND, L"-a", keys, name, NULL);
}

static FILE *stream(int descriptor, const char *mode) {
    int copy = dup(descriptor);
    FILE *file = copy < 0 ? NULL : fdopen(copy, mode);
    if (!file && copy >= 0) close(copy);
    return file;
}

// libedit writes characters in the encoding of the locale; ours is UTF-8, whatever that says.
static void use_utf8(void) {
    static const char *const names[] = {"", "C.UTF-8", "C.utf8", "en_US.UTF-8"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        if (setlocale(LC_CTYPE, names[n]) && !strcmp(nl_langinfo(CODESET), "UTF-8")) return;
}

mtl_edit *mtl_edit_open(int input, int output, mtl_edit_owner owner) {
    use_utf8();
    mtl_edit *editor = calloc(1, sizeof *editor);
    if (!editor) return NULL;
    editor->owner = owner;
    editor->prompt = L"";
    editor->input = stream(input, "r");
    editor->output = stream(output, "w");
    editor->history = history_winit();
    if (!editor->input || !editor->output || !editor->history) goto failed;
    EditLine *line =
        el_init_fd("mtl-chat", editor->input, editor->output, editor->output, input, output, output);
    editor->line = line;
    if (!line) goto failed;
    HistEventW event;
    history_w(editor->history, &event, H_SETSIZE, 1000);
    history_w(editor->history, &event, H_SETUNIQUE, 1);
    el_wset(line, EL_CLIENTDATA, editor);
    el_wset(line, EL_GETCFN, next_key);
    el_wset(line, EL_PROMPT, prompt);
    el_wset(line, EL_HIST, history_w, editor->history);
    el_wset(line, EL_EDITOR, L"emacs");
    // The user's ~/.editrc, before the keys below: choosing vi's keys there undoes all others.
    el_source(line, NULL);
    el_wset(line, EL_ADDFN, L"mtl-insert", L"Insert pasted text", insert);
    el_wset(line, EL_ADDFN, L"mtl-insert-line-end", L"Insert a line end", insert_line_end);
    el_wset(line, EL_ADDFN, L"mtl-complete", L"Complete a command", complete);
    el_wset(line, EL_ADDFN, L"mtl-redraw", L"Draw the line again", redraw);
    el_wset(line, EL_ADDFN, L"mtl-to-end", L"Go behind the text", to_end);
    bind_own(line, mtl_edit_key_insert, L"mtl-insert");
    bind_own(line, mtl_edit_key_redraw, L"mtl-redraw");
    bind_own(line, mtl_edit_key_to_end, L"mtl-to-end");
    bind(line, L"^I", L"mtl-complete");
    bind(line, L"^R", L"em-inc-search-prev");
    bind(line, L"\\e^M", L"mtl-insert-line-end");
    bind(line, L"\\e^J", L"mtl-insert-line-end");
    // What the keys send beyond those that the terminal's description names.
    bind(line, L"\\e[1~", L"ed-move-to-beg");
    bind(line, L"\\e[4~", L"ed-move-to-end");
    bind(line, L"\\e[3~", L"ed-delete-next-char");
    bind(line, L"\\e[1;5C", L"em-next-word");
    bind(line, L"\\e[1;5D", L"ed-prev-word");
    // Line ends arrive as they were typed or pasted; see mtl_edit_open.
    el_wset(line, EL_SETTY, L"-d", L"-inlcr", L"-icrnl", NULL);
    el_wset(line, EL_SETTY, L"-x", L"-inlcr", L"-icrnl", L"-icanon", L"-echo", NULL);
    return editor;
failed:
    mtl_edit_close(editor);
    return NULL;
}

void mtl_edit_close(mtl_edit *editor) {
    // With editing off, libedit leaves the terminal alone; else it would throw away what was typed
    // ahead, for the shell perhaps.
    if (editor->line) {
        el_wset(editor->line, EL_EDITMODE, 0);
        el_end(editor->line);
    }
    if (editor->history) history_wend(editor->history);
    if (editor->input) fclose(editor->input);
    if (editor->output) fclose(editor->output);
    free(editor);
}

const uint32_t *mtl_edit_read(mtl_edit *editor, const uint32_t *prompt, size_t *count) {
    editor->prompt = (const wchar_t *)prompt;
    int length = 0;
    const wchar_t *text = el_wgets(editor->line, &length);
    editor->prompt = L"";
    if (!text || length <= 0) return NULL;
    *count = (size_t)length;
    if (text[length - 1] == L'\n') --*count;
    return (const uint32_t *)text;
}

void mtl_edit_insert(mtl_edit *editor, const uint32_t *text) {
    el_winsertstr(editor->line, (const wchar_t *)text);
}

void mtl_edit_remember(mtl_edit *editor, const uint32_t *line) {
    HistEventW event;
    history_w(editor->history, &event, H_ENTER, (const wchar_t *)line);
}
