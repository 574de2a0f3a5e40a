/* What a person would call an object. */
#include "names.h"

#include "layout_names.h"

static table_t cell_names; /* number of a cell -> label, of those that are read now */
static uint32_t *noted;
static size_t noted_count, noted_room;

static void note_cell(PyObject *cell, PyObject *name)
{
    const entry_t *e = entry_at(cell);
    uint32_t label = e != NULL && Py_TYPE(cell) == &PyCell_Type ? label_string(name, FORM_PLAIN) : 0;
    if (label != 0 && (noted_count < noted_room || grow((void **)&noted, &noted_room, sizeof(*noted)))
        && table_put(&cell_names, e->id, label)) {
        noted[noted_count++] = e->id;
    }
}

static void note_frame(const frame_t *f)
{
    PyObject *names = f != NULL ? local_names(frame_code(f)) : NULL;
    if (names == NULL || !PyTuple_Check(names)) {
        return;
    }
    for (int i = 0; i < frame_locals(f) && i < frame_top(f) && i < PyTuple_GET_SIZE(names); i++) {
        note_cell(frame_slot(f, i), PyTuple_GET_ITEM(names, i));
    }
}

/* A cell has the name of its variable from those who know it. */
void names_note_others(PyObject *op)
{
    if (Py_TYPE(op) == &PyFunction_Type) {
        const PyFunctionObject *f = (PyFunctionObject *)op;
        PyObject *closure = f->func_closure;
        if (closure != NULL && PyTuple_Check(closure) && f->func_code != NULL) {
            for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(closure); i++) {
                note_cell(PyTuple_GET_ITEM(closure, i), code_free_name((PyCodeObject *)f->func_code, i));
            }
        }
    } else if (Py_TYPE(op) == &PyFrame_Type) {
        note_frame(object_frame(op));
    } else if (Py_TYPE(op) == &PyGen_Type || Py_TYPE(op) == &PyCoro_Type || Py_TYPE(op) == &PyAsyncGen_Type) {
        note_frame(generator_frame(op));
    }
}

static uint32_t title_of_method(PyObject *op)
{
    PyObject *f = PyMethod_GET_FUNCTION(op);
    return f != NULL && Py_TYPE(f) == &PyFunction_Type ? label_string(function_title(f), FORM_PLAIN) : 0;
}

static uint32_t title_of_cell(uint32_t id)
{
    uint32_t *label = table_find(&cell_names, id);
    return label != NULL ? *label : 0;
}

uint32_t title_of(PyObject *op, enum titled titled, uint32_t id)
{
    switch (titled) {
    case TITLE_MODULE: return label_string(module_title(op), FORM_PLAIN);
    case TITLE_TYPE:
        return Py_TYPE(op) != NULL && (((PyTypeObject *)op)->tp_flags & Py_TPFLAGS_HEAPTYPE)
                   ? label_string(((PyHeapTypeObject *)op)->ht_qualname, FORM_PLAIN)
                   : 0;
    case TITLE_FUNCTION: return label_string(function_title(op), FORM_PLAIN);
    case TITLE_CODE: return label_string(code_title((PyCodeObject *)op), FORM_PLAIN);
    case TITLE_FRAME: return object_frame(op) != NULL ? label_string(code_title(frame_code(object_frame(op))), FORM_PLAIN) : 0;
    case TITLE_GENERATOR: return label_string(generator_title(op), FORM_PLAIN);
    case TITLE_METHOD: return title_of_method(op);
    case TITLE_BUILTIN: return builtin_title(op) != NULL ? label_text(builtin_title(op)) : 0;
    case TITLE_CELL: return title_of_cell(id);
    default: return 0;
    }
}

void names_forget(void)
{
    for (size_t i = 0; i < noted_count; i++) {
        table_remove(&cell_names, noted[i]);
    }
    noted_count = 0;
}
