package api

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// schema is a JSON Schema as OpenAPI 3.1 has it (draft 2020-12).
type schema map[string]any

// schemas makes schemas of Go types as encoding/json encodes their values. Structs
// that have a name are kept apart and referred to.
type schemas struct {
	kept  schema
	names map[reflect.Type]string
}

var (
	timeType    = reflect.TypeFor[time.Time]()
	rawType     = reflect.TypeFor[json.RawMessage]()
	jsonMarshal = reflect.TypeFor[json.Marshaler]()
	textMarshal = reflect.TypeFor[encoding.TextMarshaler]()
)

// nullable lets a schema be null, too.
func nullable(s schema) schema {
	if kind, ok := s["type"].(string); ok {
		s["type"] = []string{kind, "null"}
		return s
	}
	if len(s) == 0 || s["$ref"] == nil {
		return s
	}
	return schema{"anyOf": []schema{s, {"type": "null"}}}
}

// of gives the schema of a type.
func (s *schemas) of(t reflect.Type) schema {
	switch {
	case t == rawType:
		return schema{}
	case t == timeType:
		return schema{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Pointer:
		return nullable(s.of(t.Elem()))
	case t.Implements(jsonMarshal):
		return marshalled(t)
	case t.Implements(textMarshal):
		return schema{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return schema{"type": "integer"}
	case reflect.Float32, reflect.Float64:
		return schema{"type": "number"}
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Slice, reflect.Array:
		e := t.Elem()
		if e.Kind() == reflect.Pointer && e.Elem().Kind() == reflect.Struct {
			e = e.Elem() // a list of pointers holds none that is nil
		}
		return schema{"type": "array", "items": s.of(e)}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		return s.object(t)
	}
	return schema{}
}

// marshalled asks the zero value what a type that encodes itself becomes.
func marshalled(t reflect.Type) schema {
	body, err := json.Marshal(reflect.Zero(t).Interface())
	if err != nil || len(body) == 0 {
		return schema{}
	}
	instant := t.ConvertibleTo(timeType)
	switch c := body[0]; {
	case instant && c == 'n':
		return schema{"type": []string{"string", "null"}, "format": "date-time"}
	case instant:
		return schema{"type": "string", "format": "date-time"}
	case c == '"':
		return schema{"type": "string"}
	case c == '-' || c >= '0' && c <= '9':
		return schema{"type": "number"}
	case c == 't' || c == 'f':
		return schema{"type": "boolean"}
	}
	return schema{}
}

// object describes a struct, in place if it has no name.
func (s *schemas) object(t reflect.Type) schema {
	if t.Name() == "" {
		return s.fields(t)
	}
	name, known := s.names[t]
	if !known {
		name = strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
		if _, taken := s.kept[name]; taken {
			room := t.PkgPath()[strings.LastIndexByte(t.PkgPath(), '/')+1:]
			name = strings.ToUpper(room[:1]) + room[1:] + name
		}
		s.names[t] = name
		s.kept[name] = schema{} // the name is taken while the fields are read: types may hold themselves
		s.kept[name] = s.fields(t)
	}
	return schema{"$ref": "#/components/schemas/" + name}
}

func (s *schemas) fields(t reflect.Type) schema {
	properties, required := schema{}, []string{}
	s.collect(t, properties, &required)
	return schema{"type": "object", "properties": properties, "required": required}
}

// collect adds the fields of a struct, then those of structs that it embeds where
// no field of its own has the name.
func (s *schemas) collect(t reflect.Type, properties schema, required *[]string) {
	var embedded []reflect.Type
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			e := f.Type
			if e.Kind() == reflect.Pointer {
				e = e.Elem()
			}
			if e.Kind() == reflect.Struct {
				embedded = append(embedded, e)
				continue
			}
		}
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if _, nearer := properties[name]; nearer {
			continue
		}
		optional := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		kind := f.Type
		if optional && kind.Kind() == reflect.Pointer {
			kind = kind.Elem() // left out where it is nil
		}
		properties[name] = s.of(kind)
		if !optional {
			*required = append(*required, name)
		}
	}
	for _, e := range embedded {
		s.collect(e, properties, required)
	}
}

// member is a field of a document that has no Go type of its own.
type member struct {
	name string
	of   any
}

// members is such a document.
type members []member

// anything is a value that may be of any type.
type anything struct{}

// shape gives the schema of a value's type.
func (s *schemas) shape(v any) schema {
	switch v := v.(type) {
	case nil, anything:
		return schema{}
	case either:
		any := []schema{}
		for _, one := range v {
			any = append(any, s.shape(one))
		}
		return schema{"anyOf": any}
	case members:
		properties, required := schema{}, []string{}
		for _, m := range v {
			if o, may := m.of.(optional); may {
				properties[m.name] = s.shape(o.of)
				continue
			}
			properties[m.name] = s.shape(m.of)
			required = append(required, m.name)
		}
		return schema{"type": "object", "properties": properties, "required": required}
	}
	return s.of(reflect.TypeOf(v))
}
