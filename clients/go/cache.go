package doorward

import (
	"container/list"
	"sync"
	"time"
)

// Cache keeps values until their time is over, the least recently used going first. It is safe for many goroutines.
type Cache[V any] struct {
	size int
	now  func() time.Time

	mutex sync.Mutex
	kept  map[string]*list.Element
	// The most recently used first.
	order *list.List
}

type entry[V any] struct {
	key   string
	value V
	until time.Time
}

// NewCache makes one for at most so many values; 1000 where size is not above zero.
func NewCache[V any](size int) *Cache[V] {
	if size <= 0 {
		size = 1000
	}
	return &Cache[V]{size: size, now: time.Now, kept: map[string]*list.Element{}, order: list.New()}
}

// Get has a value whose time is not over.
func (c *Cache[V]) Get(key string) (V, bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var none V
	element, found := c.kept[key]
	if !found {
		return none, false
	}
	kept := element.Value.(*entry[V])
	if !c.now().Before(kept.until) {
		c.drop(element)
		return none, false
	}
	c.order.MoveToFront(element)
	return kept.value, true
}

// Set keeps a value for so long, in the place of the one before.
func (c *Cache[V]) Set(key string, value V, ttl time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if element, found := c.kept[key]; found {
		c.drop(element)
	}
	if ttl <= 0 {
		return
	}
	c.kept[key] = c.order.PushFront(&entry[V]{key, value, c.now().Add(ttl)})
	for len(c.kept) > c.size {
		c.drop(c.order.Back())
	}
}

// Delete forgets the value of a key.
func (c *Cache[V]) Delete(key string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if element, found := c.kept[key]; found {
		c.drop(element)
	}
}

// DeleteFunc forgets the values for which over is true.
func (c *Cache[V]) DeleteFunc(over func(V) bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, element := range c.kept {
		if over(element.Value.(*entry[V]).value) {
			c.drop(element)
		}
	}
}

// Sweep forgets what is over, and says how many that were.
func (c *Cache[V]) Sweep() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	now, before := c.now(), len(c.kept)
	for _, element := range c.kept {
		if !now.Before(element.Value.(*entry[V]).until) {
			c.drop(element)
		}
	}
	return before - len(c.kept)
}

// Len is how many values are kept.
func (c *Cache[V]) Len() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return len(c.kept)
}

// Drain takes all values out.
func (c *Cache[V]) Drain() []V {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var values []V
	for _, element := range c.kept {
		values = append(values, element.Value.(*entry[V]).value)
	}
	c.kept, c.order = map[string]*list.Element{}, list.New()
	return values
}

func (c *Cache[V]) drop(element *list.Element) {
	delete(c.kept, element.Value.(*entry[V]).key)
	c.order.Remove(element)
}
