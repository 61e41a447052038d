package understand

// queue is first in, first out. The zero value is empty.
type queue[T any] struct {
	list []T
	head int
}

func (q *queue[T]) len() int { return len(q.list) - q.head }

// first gives what pop would. It must not be asked of an empty queue.
func (q *queue[T]) first() *T { return &q.list[q.head] }

func (q *queue[T]) push(v T) {
	if q.head > 0 && len(q.list) == cap(q.list) && q.head >= len(q.list)/2 {
		// Half of it is free: move instead of growing.
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, v)
}

func (q *queue[T]) pop() T {
	var zero T
	v := q.list[q.head]
	q.list[q.head] = zero
	q.head++
	return v
}
