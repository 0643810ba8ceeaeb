package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

const bigIntegers = 1

func init() {
	msgpack.RegisterExtEncoder(bigIntegers, (*big.Int)(nil), func(_ *msgpack.Encoder, v reflect.Value) ([]byte, error) {
		return []byte(v.Interface().(*big.Int).String()), nil
	})
}

// plain makes any Go value one that msgpack and Python know: times and durations become their text.
func plain(value any) any {
	switch v := value.(type) {
	case nil, bool, string, int, int64, float64, []byte, *big.Int:
		return v
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case json.Number:
		return plainNumber(v)
	case fmt.Stringer:
		return v.String()
	case []any:
		return plainList(v)
	case map[string]any:
		return plainMap(v)
	case error:
		return v.Error()
	}
	return plainValue(reflect.ValueOf(value))
}

func plainNumber(number json.Number) any {
	if small, err := number.Int64(); err == nil {
		return small
	}
	if large, isWhole := new(big.Int).SetString(number.String(), 10); isWhole {
		return large
	}
	fraction, _ := number.Float64()
	return fraction
}

func plainList(list []any) any {
	out := make([]any, len(list))
	for i, each := range list {
		out[i] = plain(each)
	}
	return out
}

func plainMap(given map[string]any) any {
	out := make(map[string]any, len(given))
	for key, each := range given {
		out[key] = plain(each)
	}
	return out
}

func plainValue(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return v.Uint()
	case reflect.Float32, reflect.Float64:
		return v.Float()
	case reflect.String:
		return v.String()
	case reflect.Slice, reflect.Array:
		return plainElements(v)
	case reflect.Map:
		return plainKeys(v)
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem().Interface())
	}
	return fmt.Sprintf("%v", v)
}

func plainElements(v reflect.Value) any {
	out := make([]any, v.Len())
	for i := range out {
		out[i] = plain(v.Index(i).Interface())
	}
	return out
}

func plainKeys(v reflect.Value) any {
	out := make(map[string]any, v.Len())
	for _, key := range v.MapKeys() {
		out[fmt.Sprint(key.Interface())] = plain(v.MapIndex(key).Interface())
	}
	return out
}
